import { createHash } from 'node:crypto';

/** A low-rank update of linear layers, W + (alpha / rank) · B·A (Hu et al. 2021, https://arxiv.org/abs/2106.09685). */
export interface LowRankWeights {
  /** May be left out: low-rank updates are what is meant when nothing is said. */
  readonly kind?: 'lora';
  readonly rank: number;
  readonly alpha: number;
  /** Module name ("model.layers.0.self_attn.q_proj") -> A [rank, in] and B [out, rank], row-major. */
  readonly tensors: ReadonlyMap<string, { readonly a: Float32Array; readonly b: Float32Array }>;
}

/**
 * Adapter layers (Houlsby et al. 2019, https://arxiv.org/abs/1902.00751): the output y of a block, before it joins the
 * residual stream, becomes y + up(SiLU(down(y))). No biases, so that a layer of zeros changes nothing.
 */
export interface BottleneckWeights {
  readonly kind: 'bottleneck';
  /** Width of the bottleneck. */
  readonly size: number;
  /** Block ("model.layers.0.self_attn", "model.layers.0.mlp") -> down [size, hidden] and up [hidden, size], row-major. */
  readonly tensors: ReadonlyMap<string, { readonly down: Float32Array; readonly up: Float32Array }>;
}

/** Prompt tuning (Lester et al. 2021, https://arxiv.org/abs/2104.08691): trained embeddings that stand before every prompt. */
export interface SoftPromptWeights {
  readonly kind: 'soft-prompt';
  readonly numTokens: number;
  /** [numTokens, hidden], row-major. */
  readonly embeddings: Float32Array;
}

/** What training adds to frozen base weights. */
export type AdapterWeights = LowRankWeights | BottleneckWeights | SoftPromptWeights;
export type AdapterKind = NonNullable<AdapterWeights['kind']>;

/** An adapter with the name it goes by everywhere; the engine takes this shape. */
export type Adapter = AdapterWeights & { readonly digest: string };

export const kindOf = (weights: AdapterWeights): AdapterKind => weights.kind ?? 'lora';

/** sha256 over the kind, its settings and every number, in hex: independent of how the adapter is stored. */
export function adapterDigest(weights: AdapterWeights): string {
  const hash = createHash('sha256').update(`${headerOf(weights)}\n`);
  for (const [name, ...parts] of partsOf(weights)) {
    hash.update(`${[name, ...parts.map(({ length }) => length)].join(' ')}\n`);
    for (const part of parts) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return hash.digest('hex');
}

/** Gives weights their digest. */
export function nameAdapter<T extends AdapterWeights>(weights: T): T & { readonly digest: string } {
  return { ...weights, digest: adapterDigest(weights) };
}

/** Whether every number is finite; one that is not would spread to every answer it is served with. */
export function isFiniteAdapter(weights: AdapterWeights): boolean {
  return partsOf(weights).every(([, ...parts]) => parts.every((part) => allFinite(part)));
}

/** A plain loop: a call for every number takes ten times as long. */
function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

export const sortedEntries = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

function headerOf(weights: AdapterWeights): string {
  if (weights.kind === 'bottleneck') return `bottleneck ${weights.size}`;
  if (weights.kind === 'soft-prompt') return `soft-prompt ${weights.numTokens}`;
  return `lora ${weights.rank} ${weights.alpha}`;
}

type Parts = [name: string, ...Float32Array[]];

function partsOf(weights: AdapterWeights): Parts[] {
  if (weights.kind === 'bottleneck')
    return sortedEntries(weights.tensors).map(([name, { down, up }]): Parts => [name, down, up]);
  if (weights.kind === 'soft-prompt') return [['prompt_embeddings', weights.embeddings]];
  return sortedEntries(weights.tensors).map(([name, { a, b }]): Parts => [name, a, b]);
}
