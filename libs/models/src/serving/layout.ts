import type { ModelConfig } from '../config.js';
import { biasedModules, layerName } from '../parameters.js';

/** The CPU attention kernel wants head dims that are multiples of this; narrower heads are padded with zeros. */
const HEAD_ALIGNMENT = 16;

/** One checkpoint module inside a fused linear layer. */
export interface LinearPart {
  /** "model.layers.0.self_attn.q_proj" */
  readonly module: string;
  /** Output row of the module -> row of the fused layer. */
  readonly outMap: Int32Array;
}

/** A linear layer of the serving graph: one or more checkpoint modules over the same input, side by side. */
export interface ServingLinear {
  readonly name: string;
  readonly inSize: number;
  readonly outSize: number;
  /** Input column of the checkpoint modules -> column of the fused layer. */
  readonly inMap: Int32Array;
  readonly parts: readonly LinearPart[];
  readonly hasBias: boolean;
  /** The norm whose output it multiplies, by its checkpoint name; null where the input is no norm's. */
  readonly norm: string | null;
}

export interface ServingLayer {
  readonly qkv: ServingLinear;
  readonly output: ServingLinear;
  readonly gateUp: ServingLinear;
  readonly down: ServingLinear;
}

export interface ServingLayout {
  /** Head dim of the KV cache and of all serving tensors, zero-padded. */
  readonly headDim: number;
  readonly layers: readonly ServingLayer[];
}

/** Where every checkpoint row and column lies in the fused, padded tensors of the serving graph. */
export function servingLayout(config: ModelConfig): ServingLayout {
  const headDim = Math.ceil(config.headDim / HEAD_ALIGNMENT) * HEAD_ALIGNMENT;
  return {
    headDim,
    layers: Array.from({ length: config.numLayers }, (_, layer) => layerLayout(config, headDim, layer)),
  };
}

export const linearsOf = (layout: ServingLayout): ServingLinear[] =>
  layout.layers.flatMap(({ qkv, output, gateUp, down }) => [qkv, output, gateUp, down]);

function layerLayout(config: ModelConfig, headDim: number, layer: number): ServingLayer {
  const { hiddenSize: hidden, intermediateSize: inner, numHeads, numKvHeads } = config;
  const [attention, mlp] = [`${layerName(layer)}.self_attn`, `${layerName(layer)}.mlp`];
  const rotated = (heads: number) => headMap(heads, config.headDim, headDim, rotaryColumn);
  const plain = (heads: number) => headMap(heads, config.headDim, headDim, (column) => column);
  const [queries, keys] = [numHeads * headDim, numKvHeads * headDim];
  const biased = new Set(biasedModules(config, layer));
  const norms = { qkv: 'input_layernorm', gate_up: 'post_attention_layernorm', output: null, down: null } as const;
  const linear = (name: keyof typeof norms, inMap: Int32Array, inSize: number, outSize: number, parts: LinearPart[]) => {
    const hasBias = parts.some(({ module }) => biased.has(module));
    const norm = norms[name] && `${layerName(layer)}.${norms[name]}.weight`;
    return { name: `${layer}.${name}`, inSize, outSize, inMap, parts, hasBias, norm };
  };
  return {
    qkv: linear('qkv', identity(hidden), hidden, queries + 2 * keys, [
      { module: `${attention}.q_proj`, outMap: rotated(numHeads) },
      { module: `${attention}.k_proj`, outMap: shifted(rotated(numKvHeads), queries) },
      { module: `${attention}.v_proj`, outMap: shifted(plain(numKvHeads), queries + keys) },
    ]),
    output: linear('output', plain(numHeads), queries, hidden, [
      { module: `${attention}.o_proj`, outMap: identity(hidden) },
    ]),
    gateUp: linear('gate_up', identity(hidden), hidden, 2 * inner, [
      { module: `${mlp}.gate_proj`, outMap: identity(inner) },
      { module: `${mlp}.up_proj`, outMap: shifted(identity(inner), inner) },
    ]),
    down: linear('down', identity(inner), inner, hidden, [{ module: `${mlp}.down_proj`, outMap: identity(hidden) }]),
  };
}

type ColumnRule = (column: number, from: number, to: number) => number;

/** Rotary pairs column i with i + half: each half keeps its place at the start of the padded half. */
const rotaryColumn: ColumnRule = (column, from, to) => (column < from / 2 ? column : column - from / 2 + to / 2);

function headMap(heads: number, from: number, to: number, place: ColumnRule): Int32Array {
  return Int32Array.from({ length: heads * from }, (_, i) => Math.floor(i / from) * to + place(i % from, from, to));
}

const identity = (size: number) => Int32Array.from({ length: size }, (_, i) => i);
const shifted = (map: Int32Array, by: number) => map.map((index) => index + by);
