import { type AdapterFiles, type AdapterFolder, expectCount, unusable } from './adapter-folder.js';
import { type BottleneckWeights, sortedEntries } from './adapter-kinds.js';

/**
 * Adapter layers on disk. PEFT has no format for them, so this one is the project's own, in PEFT's manner:
 * adapter_config.json has `peft_type: "BOTTLENECK"`, `bottleneck_size`, `non_linearity: "silu"` and `target_modules`
 * (`self_attn`, `mlp`: the blocks whose output is adapted); adapter_model.safetensors has, for each block,
 * `base_model.model.<block>.adapter_down.weight` [size, hidden] and `….adapter_up.weight` [hidden, size].
 */
export function bottleneckFiles({ size, tensors }: BottleneckWeights): AdapterFiles {
  const config = {
    peft_type: 'BOTTLENECK',
    bottleneck_size: size,
    non_linearity: 'silu',
    target_modules: blocksOf(tensors),
  };
  const layers = sortedEntries(tensors).flatMap(([block, { down, up }]) => [
    { name: `${PREFIX}${block}.adapter_down.weight`, shape: [size, down.length / size], data: down },
    { name: `${PREFIX}${block}.adapter_up.weight`, shape: [up.length / size, size], data: up },
  ]);
  return { config, tensors: layers };
}

/** @throws InvalidRequestError when a tensor is missing or of the wrong shape */
export function readBottleneck(folder: AdapterFolder): BottleneckWeights {
  const { dir, config, weights } = folder;
  const size = expectCount(folder, 'bottleneck_size');
  if (config.non_linearity !== 'silu')
    throw unusable(dir, `its non_linearity is ${JSON.stringify(config.non_linearity)}, only "silu" is understood`);
  const halves = new Map<string, { down?: Float32Array; up?: Float32Array }>();
  for (const { name, shape } of weights.tensors.values()) {
    const [, block, side] = LAYER.exec(name) ?? [];
    if (!block) throw unusable(dir, `tensor \`${name}\` belongs to no adapter layer`);
    if (shape.length !== 2 || shape[side === 'down' ? 0 : 1] !== size)
      throw unusable(dir, `tensor \`${name}\` has the shape [${shape.join(', ')}], size ${size} was expected`);
    halves.set(block, { ...halves.get(block), [side!]: weights.float32(name) });
  }
  for (const [block, { down, up }] of halves)
    if (!down || !up) throw unusable(dir, `block \`${block}\` has only one of adapter_down and adapter_up`);
  return { kind: 'bottleneck', size, tensors: halves as BottleneckWeights['tensors'] & typeof halves };
}

/** The last names of the blocks, e.g. `self_attn`. */
export const blocksOf = (tensors: ReadonlyMap<string, unknown>): string[] =>
  [...new Set([...tensors.keys()].map((name) => name.slice(name.lastIndexOf('.') + 1)))].sort();

const PREFIX = 'base_model.model.';
const LAYER = /^base_model\.model\.(.+)\.adapter_(down|up)\.weight$/;
