import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { openSafetensors, type SafetensorsFile } from './safetensors/read.js';
import { writeSafetensors, type TensorToWrite } from './safetensors/write.js';

/** A low-rank update of linear layers, W + (alpha / rank) · B·A (Hu et al. 2021, https://arxiv.org/abs/2106.09685). */
export interface AdapterWeights {
  readonly rank: number;
  readonly alpha: number;
  /** Module name ("model.layers.0.self_attn.q_proj") -> A [rank, in] and B [out, rank], row-major. */
  readonly tensors: ReadonlyMap<string, { readonly a: Float32Array; readonly b: Float32Array }>;
}

/** An adapter with the name it goes by everywhere; the engine takes this shape. */
export interface Adapter extends AdapterWeights {
  readonly digest: string;
}

/** An adapter as found on disk. */
export interface StoredAdapter extends Adapter {
  /** Projections it changes, e.g. `q_proj`. */
  readonly targets: readonly string[];
  /** What its config names as the model it was trained on. */
  readonly baseModel: string | null;
}

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';
const PREFIX = 'base_model.model.';
const FACTOR = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/;

/** sha256 over rank, alpha and every factor's bytes, in hex: independent of how the adapter is stored. */
export function adapterDigest({ rank, alpha, tensors }: AdapterWeights): string {
  const hash = createHash('sha256').update(`lora ${rank} ${alpha}\n`);
  for (const [name, { a, b }] of sorted(tensors)) {
    hash.update(`${name} ${a.length} ${b.length}\n`).update(bytesOf(a)).update(bytesOf(b));
  }
  return hash.digest('hex');
}

/** Gives weights their digest. */
export function nameAdapter(weights: AdapterWeights): Adapter {
  return { ...weights, digest: adapterDigest(weights) };
}

/**
 * Writes an adapter as PEFT does (adapter_config.json, adapter_model.safetensors, both synced by the caller's rename).
 * @param baseModel written as `base_model_name_or_path`
 */
export async function writeAdapter(dir: string, adapter: AdapterWeights & { baseModel?: string }): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeSafetensors(path.join(dir, ADAPTER_WEIGHTS), factors(adapter));
  await writeFile(path.join(dir, ADAPTER_CONFIG), `${JSON.stringify(peftConfig(adapter), null, 2)}\n`);
}

/**
 * Reads an adapter in PEFT layout.
 * @throws InvalidRequestError when a file is missing or damaged, or the adapter is of a kind that cannot be served
 */
export async function readAdapter(dir: string): Promise<StoredAdapter> {
  const config = await readConfig(dir);
  const { rank, alpha } = checkConfig(dir, config);
  const tensors = readFactors(dir, rank, openSafetensors(path.join(dir, ADAPTER_WEIGHTS)));
  const base = config.base_model_name_or_path;
  return {
    ...nameAdapter({ rank, alpha, tensors }),
    targets: targetsOf(tensors),
    baseModel: typeof base === 'string' && base ? base : null,
  };
}

const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const bytesOf = (array: Float32Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const targetsOf = (tensors: ReadonlyMap<string, unknown>) =>
  [...new Set([...tensors.keys()].map((name) => name.slice(name.lastIndexOf('.') + 1)))].sort();

function factors({ rank, tensors }: AdapterWeights): TensorToWrite[] {
  return sorted(tensors).flatMap(([name, { a, b }]) => [
    { name: `${PREFIX}${name}.lora_A.weight`, shape: [rank, a.length / rank], data: a },
    { name: `${PREFIX}${name}.lora_B.weight`, shape: [b.length / rank, rank], data: b },
  ]);
}

function peftConfig({ rank, alpha, tensors, baseModel }: AdapterWeights & { baseModel?: string }) {
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    target_modules: targetsOf(tensors),
  };
}

async function readConfig(dir: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path.join(dir, ADAPTER_CONFIG), 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw unusable(dir, `its ${ADAPTER_CONFIG} cannot be read (${messageOf(error)})`);
  }
}

/** Variants of LoRA that compute something else must not be served as plain LoRA. */
function checkConfig(dir: string, config: Record<string, unknown>): { rank: number; alpha: number } {
  const { r: rank, lora_alpha: alpha, peft_type: type } = config;
  if (type !== 'LORA') throw unusable(dir, `its peft_type is ${JSON.stringify(type)}, only LORA is understood`);
  for (const variant of ['use_rslora', 'use_dora', 'fan_in_fan_out']) {
    if (config[variant]) throw unusable(dir, `it sets ${variant}, which is not understood`);
  }
  for (const pattern of ['rank_pattern', 'alpha_pattern']) {
    if (Object.keys(config[pattern] ?? {}).length > 0)
      throw unusable(dir, `it sets ${pattern}, which is not understood`);
  }
  if (config.bias !== undefined && config.bias !== 'none')
    throw unusable(dir, 'it trains biases, which is not understood');
  if (!Number.isInteger(rank) || Number(rank) < 1) throw unusable(dir, `its rank r is ${JSON.stringify(rank)}`);
  if (!Number.isFinite(alpha)) throw unusable(dir, `its lora_alpha is ${JSON.stringify(alpha)}`);
  return { rank: Number(rank), alpha: Number(alpha) };
}

function readFactors(dir: string, rank: number, file: SafetensorsFile): AdapterWeights['tensors'] {
  const halves = new Map<string, { a?: Float32Array; b?: Float32Array }>();
  for (const { name, shape } of file.tensors.values()) {
    const [, module, letter] = FACTOR.exec(name) ?? [];
    if (!module) throw unusable(dir, `tensor \`${name}\` is no LoRA factor`);
    const dim = letter === 'A' ? 0 : 1;
    if (shape.length !== 2 || shape[dim] !== rank) {
      throw unusable(dir, `tensor \`${name}\` has the shape [${shape.join(', ')}], rank ${rank} was expected`);
    }
    const pair = halves.get(module) ?? {};
    halves.set(module, { ...pair, [letter === 'A' ? 'a' : 'b']: file.float32(name) });
  }
  for (const [module, { a, b }] of halves) {
    if (!a || !b) throw unusable(dir, `module \`${module}\` has only one of lora_A and lora_B`);
  }
  return halves as AdapterWeights['tensors'] & typeof halves;
}

function unusable(dir: string, what: string): InvalidRequestError {
  return new InvalidRequestError(`The adapter in ${dir} cannot be used: ${what}`, { code: 'broken_adapter' });
}
