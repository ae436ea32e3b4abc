import { ADAPTABLE, type AdapterTarget, architectures, linearShapes, type ModelConfig } from '@attune/models';
import type { Random } from '@attune/platform';
import type { HostTensor } from '@attune/runtime';

/** A float32 tensor in this process's memory that sessions read (and optimizers write) in place. */
export interface Parameter extends HostTensor {
  readonly dtype: 'float32';
  readonly data: Float32Array<ArrayBuffer>;
}

/** Parameters by name, in a fixed order. */
export type ParameterSet = ReadonlyMap<string, Parameter>;

/** What is read and never trained, by name: parameters, and 8-bit matrices in place of some (see roundBase). */
export type FrozenSet = ReadonlyMap<string, HostTensor>;

export interface AdapterSpec {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly AdapterTarget[];
}

/** Wraps values (zeros when left out) as a parameter. */
export function parameter(shape: readonly number[], data?: Float32Array): Parameter {
  const size = shape.reduce((all, dim) => all * dim, 1);
  return { dtype: 'float32', shape, data: (data ?? new Float32Array(size)) as Float32Array<ArrayBuffer> };
}

/**
 * Fresh weights: N(0, std²), the two projections that write into the residual stream scaled down by √(2·layers)
 * (GPT-2, Radford et al. 2019, section 2.3), norms at one, biases at zero.
 */
export function initialParameters(config: ModelConfig, random: Random, std = 0.02): ParameterSet {
  const shapes = architectures[config.architecture]!.parameterShapes(config);
  const residual = std / Math.sqrt(2 * config.numLayers);
  return new Map(
    [...shapes].map(([name, shape]) => {
      const made = parameter(shape);
      if (name.endsWith('norm.weight')) made.data.fill(1);
      else if (!name.endsWith('.bias')) fillNormal(made.data, random, /(o|down)_proj/.test(name) ? residual : std);
      return [name, made];
    }),
  );
}

/** Fresh LoRA matrices (Hu et al. 2021): A uniform in ±1/√in as PEFT draws it, B zero, so the model is unchanged. */
export function initialAdapter(config: ModelConfig, spec: AdapterSpec, random: Random): ParameterSet {
  const made = new Map<string, Parameter>();
  for (const [module, [out, input]] of adaptedModules(config, spec.targets)) {
    const a = parameter([spec.rank, input]);
    for (let i = 0; i < a.data.length; i++) a.data[i] = (2 * random.next() - 1) / Math.sqrt(input);
    made.set(loraName(module, 'A'), a);
    made.set(loraName(module, 'B'), parameter([out, spec.rank]));
  }
  return made;
}

/** Linear modules that an adapter with these targets touches, with their weights' shapes [out, in]. */
export function adaptedModules(config: ModelConfig, targets: readonly AdapterTarget[] = ADAPTABLE) {
  const wanted = new Set<string>(targets);
  const layers = Array.from({ length: config.numLayers }, (_, layer) => [...linearShapes(config, layer)]);
  return new Map(layers.flat().filter(([module]) => wanted.has(module.slice(module.lastIndexOf('.') + 1))));
}

/** The name PEFT gives an adapter matrix of a module such as `model.layers.0.self_attn.q_proj`. */
export const loraName = (module: string, matrix: 'A' | 'B'): string =>
  `base_model.model.${module}.lora_${matrix}.weight`;

/** Number of values in a set. */
export const countValues = (set: ParameterSet): number =>
  [...set.values()].reduce((all, { data }) => all + data.length, 0);

/** A deep copy: new memory, same values. */
export const copyParameters = (set: ParameterSet): ParameterSet =>
  new Map([...set].map(([name, { shape, data }]) => [name, parameter(shape, data.slice())]));

function fillNormal(data: Float32Array, random: Random, std: number): void {
  for (let i = 0; i < data.length; i++) data[i] = random.normal() * std;
}
