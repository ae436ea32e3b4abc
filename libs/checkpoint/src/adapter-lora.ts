import { type AdapterFiles, type AdapterFolder, expectCount, unusable } from './adapter-folder.js';
import { type LowRankWeights, sortedEntries } from './adapter-kinds.js';

const PREFIX = 'base_model.model.';
/** Settings that make PEFT compute something else than a plain low-rank update of each module. */
const VARIANTS = [
  'use_dora',
  'use_qalora',
  'fan_in_fan_out',
  'lora_bias',
  'rank_pattern',
  'alpha_pattern',
  'modules_to_save',
  'layer_replication',
  'target_parameters',
  'trainable_token_indices',
  'alora_invocation_tokens',
];
const FACTOR = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/;

/** A low-rank update as PEFT stores it. */
export function lowRankFiles({ rank, alpha, tensors }: LowRankWeights): AdapterFiles {
  const config = {
    peft_type: 'LORA',
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    target_modules: projectionsOf(tensors),
  };
  const factors = sortedEntries(tensors).flatMap(([name, { a, b }]) => [
    { name: `${PREFIX}${name}.lora_A.weight`, shape: [rank, a.length / rank], data: a },
    { name: `${PREFIX}${name}.lora_B.weight`, shape: [b.length / rank, rank], data: b },
  ]);
  return { config, tensors: factors };
}

/** @throws InvalidRequestError for a variant of LoRA that computes something else */
export function readLowRank(folder: AdapterFolder): LowRankWeights {
  const { rank, alpha } = checkConfig(folder);
  return { rank, alpha, tensors: readFactors(folder, rank) };
}

/** The last names of the modules, e.g. `q_proj`. */
export const projectionsOf = (tensors: ReadonlyMap<string, unknown>): string[] =>
  [...new Set([...tensors.keys()].map((name) => name.slice(name.lastIndexOf('.') + 1)))].sort();

const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

function checkConfig(folder: AdapterFolder): { rank: number; alpha: number } {
  const { dir, config } = folder;
  const set = VARIANTS.find((variant) => isSet(config[variant]));
  if (set) throw unusable(dir, `it sets ${set}, which is not understood`);
  if (config.bias !== undefined && config.bias !== 'none')
    throw unusable(dir, 'it trains biases, which is not understood');
  const rank = expectCount(folder, 'r', 'rank r');
  const alpha = config.lora_alpha;
  if (!Number.isFinite(alpha)) throw unusable(dir, `its lora_alpha is ${JSON.stringify(alpha)}`);
  // Rank-stabilised LoRA (Kalajdzievski 2023) divides by √rank: the same as a larger alpha over rank.
  return { rank, alpha: Number(alpha) * (config.use_rslora ? Math.sqrt(rank) : 1) };
}

function readFactors({ dir, config, weights }: AdapterFolder, rank: number): LowRankWeights['tensors'] {
  const halves = new Map<string, { a?: Float32Array; b?: Float32Array }>();
  for (const { name, shape } of weights.tensors.values()) {
    const [, module, letter] = FACTOR.exec(name) ?? [];
    if (!module) throw unusable(dir, `tensor \`${name}\` is no LoRA factor`);
    const dim = letter === 'A' ? 0 : 1;
    if (shape.length !== 2 || shape[dim] !== rank) {
      throw unusable(dir, `tensor \`${name}\` has the shape [${shape.join(', ')}], rank ${rank} was expected`);
    }
    const pair = halves.get(module) ?? {};
    halves.set(module, { ...pair, [letter === 'A' ? 'a' : 'b']: weights.float32(name) });
  }
  for (const [module, { a, b }] of halves) {
    if (!a || !b) throw unusable(dir, `module \`${module}\` has only one of lora_A and lora_B`);
  }
  assertTargets(dir, config.target_modules, projectionsOf(halves));
  return halves as LowRankWeights['tensors'] & typeof halves;
}

/** Names in a list must all have factors; a pattern or a keyword ("all-linear") cannot be checked without the model. */
function assertTargets(dir: string, targets: unknown, found: readonly string[]): void {
  if (!Array.isArray(targets)) return;
  const lost = targets.find((target) => !found.includes(String(target).split('.').at(-1)!));
  if (lost !== undefined) throw unusable(dir, `its target_modules name ${JSON.stringify(lost)}, which has no factors`);
}
