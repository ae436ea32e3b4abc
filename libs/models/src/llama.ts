import {
  add,
  attention,
  type AttentionPlan,
  attentionPlan,
  type Dim,
  gather,
  type Graph,
  linear,
  matmul,
  mul,
  product,
  reshape,
  rmsNorm,
  rotary,
  roundedLinear,
  type RoundedMatrix,
  silu,
  type Tensor,
  transpose,
} from '@attune/graph';
import type { ModelConfig } from './config.js';
import { EMBEDDING, FINAL_NORM, layerName } from './parameters.js';
import { rotaryTables } from './rope.js';
import { gatherRounded, type RoundedTable } from './serving/embedding.js';

/** A low-rank addition to one linear module: y += scale · (x Aᵀ) Bᵀ with A [rank, in] and B [out, rank]. */
export interface LowRank {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
}

/** An adapter layer on the output y of a block: y += up · SiLU(down · y) with down [size, hidden], up [hidden, size]. */
export interface Bottleneck {
  readonly down: Tensor;
  readonly up: Tensor;
}

/** Where the model takes its tensors from: the caller decides whether a name is an input, a constant or frozen. */
export interface Weights {
  readonly parameter: (name: string) => Tensor;
  /** Rows [N, …] of a matrix by an int64 index [N]; gathered out of the parameter where left out. */
  readonly rows?: (name: string, index: Tensor) => Tensor;
  /** A matrix rounded to 8 bits, by its parameter's name, to multiply by in place of the parameter; or null. */
  readonly rounded?: (name: string) => RoundedMatrix | null;
  /** The token embeddings in 8 bits, to look up in place of the parameter; or null. */
  readonly roundedEmbedding?: () => RoundedTable | null;
  /** The adapter of a linear module ("model.layers.0.self_attn.q_proj"), or null. */
  readonly adapter?: (module: string) => LowRank | null;
  /** The adapter layer after a block ("model.layers.0.self_attn" or "….mlp"), or null. */
  readonly bottleneck?: (block: string) => Bottleneck | null;
}

export interface ModelInputs {
  /** int64 [B, T], or null when `embeds` is given. */
  readonly ids: Tensor | null;
  /** float32 [B·T, hidden], in place of ids. */
  readonly embeds?: Tensor;
  /** int64 [B, T], each position below `config.maxPositions`. */
  readonly positions: Tensor;
  /** Additive float32 [B or 1, 1, T, T], in which no token sees a later one of its row. */
  readonly mask: Tensor;
  /** Parts of a row's tokens that attend one after the other, see attentionPlan; 1 when left out. */
  readonly attentionParts?: number;
  /** Whether the backward pass computes each layer again, so that only its input is kept. */
  readonly recomputeLayers?: boolean;
}

/** Final hidden states, normalised, float32 [B·T, hidden]: the model up to, but without, its head. */
export function hiddenStates(g: Graph, config: ModelConfig, weights: Weights, inputs: ModelInputs): Tensor {
  const layers = new LlamaLayers(g, config, weights, inputs);
  let x = inputs.embeds ?? embed(g, weights, inputs.ids!);
  for (let layer = 0; layer < config.numLayers; layer++) x = layers.layer(layerName(layer), x);
  return rmsNorm(g, x, weights.parameter(FINAL_NORM), config.rmsNormEps).y;
}

/** Token embeddings as rows: ids [B, T] to [B·T, hidden]. */
export function embed(g: Graph, weights: Weights, ids: Tensor): Tensor {
  const flat = reshape(g, ids, [product(ids.shape)]);
  const rounded = weights.roundedEmbedding?.();
  return rounded ? gatherRounded(g, rounded, flat) : rowsOf(g, weights, EMBEDDING, flat);
}

/** Rows of a parameter by an index [N]. */
export function rowsOf(g: Graph, weights: Weights, name: string, index: Tensor): Tensor {
  return weights.rows?.(name, index) ?? gather(g, weights.parameter(name), index);
}

class LlamaLayers {
  private readonly batch: Dim;
  private readonly time: Dim;
  private readonly rows: Dim;
  private readonly cos: Tensor;
  private readonly sin: Tensor;
  private readonly plan: AttentionPlan;

  constructor(
    private readonly g: Graph,
    private readonly config: ModelConfig,
    private readonly weights: Weights,
    private readonly inputs: ModelInputs,
  ) {
    [this.batch, this.time] = inputs.positions.shape as [Dim, Dim];
    this.rows = product([this.batch, this.time]);
    const { cos, sin } = rotaryTables(config, config.maxPositions);
    const shape = [config.maxPositions, config.headDim / 2];
    this.cos = g.constant('float32', shape, cos);
    this.sin = g.constant('float32', shape, sin);
    this.plan = attentionPlan(g, inputs.mask, config.numHeads / config.numKvHeads, inputs.attentionParts);
  }

  layer(name: string, x: Tensor): Tensor {
    return this.inputs.recomputeLayers ? this.g.recomputed([x], () => this.blocks(name, x)) : this.blocks(name, x);
  }

  private blocks(name: string, x: Tensor): Tensor {
    const { g } = this;
    const attended = add(g, x, this.selfAttention(`${name}.self_attn`, this.norm(`${name}.input_layernorm`, x)));
    return add(g, attended, this.mlp(`${name}.mlp`, this.norm(`${name}.post_attention_layernorm`, attended)));
  }

  private selfAttention(name: string, x: Tensor): Tensor {
    const { g, config } = this;
    const { numHeads, numKvHeads, headDim } = config;
    const q = this.heads(this.rotate(this.linear(`${name}.q_proj`, x), numHeads), numHeads);
    const k = this.heads(this.rotate(this.linear(`${name}.k_proj`, x), numKvHeads), numKvHeads);
    const v = this.heads(this.linear(`${name}.v_proj`, x), numKvHeads);
    const mixed = attention(g, q, k, v, this.plan, 1 / Math.sqrt(headDim));
    const merged = reshape(g, transpose(g, mixed, [0, 2, 1, 3]), [this.rows, numHeads * headDim]);
    return this.adapted(name, this.linear(`${name}.o_proj`, merged));
  }

  /** Down(SiLU(gate(x)) · up(x)): SwiGLU, Shazeer 2020. */
  private mlp(name: string, x: Tensor): Tensor {
    const gate = silu(this.g, this.linear(`${name}.gate_proj`, x));
    const inner = mul(this.g, gate, this.linear(`${name}.up_proj`, x));
    return this.adapted(name, this.linear(`${name}.down_proj`, inner));
  }

  /** A block's output through its adapter layer, where it has one (Houlsby et al. 2019, section 2.1). */
  private adapted(block: string, y: Tensor): Tensor {
    const layer = this.weights.bottleneck?.(block);
    if (!layer) return y;
    return matmul(this.g, silu(this.g, linear(this.g, y, layer.down)), layer.up, { transB: true, plus: y });
  }

  private linear(module: string, x: Tensor): Tensor {
    const { g } = this;
    const base = this.baseLinear(module, x);
    const adapter = this.weights.adapter?.(module);
    if (!adapter) return base;
    const narrow = linear(g, x, adapter.a);
    return matmul(g, narrow, adapter.b, { transB: true, alpha: adapter.scale, plus: base });
  }

  private baseLinear(module: string, x: Tensor): Tensor {
    const { g, weights } = this;
    const bias = this.hasBias(module) ? weights.parameter(`${module}.bias`) : null;
    const rounded = weights.rounded?.(`${module}.weight`);
    if (!rounded) return linear(g, x, weights.parameter(`${module}.weight`), bias);
    const y = roundedLinear(g, x, rounded);
    return bias ? add(g, y, bias) : y;
  }

  private hasBias(module: string): boolean {
    if (/\.(q|k|v)_proj$/.test(module)) return this.config.qkvBias;
    return module.endsWith('.o_proj') && this.config.outputBias;
  }

  private norm(name: string, x: Tensor): Tensor {
    return rmsNorm(this.g, x, this.weights.parameter(`${name}.weight`), this.config.rmsNormEps).y;
  }

  private rotate(x: Tensor, numHeads: number): Tensor {
    const rows = reshape(this.g, x, [this.batch, this.time, numHeads * this.config.headDim]);
    return rotary(this.g, rows, this.inputs.positions, this.cos, this.sin, numHeads);
  }

  /** [B·T or B, T, heads · headDim] to [B, heads, T, headDim]. */
  private heads(x: Tensor, numHeads: number): Tensor {
    const split = reshape(this.g, x, [this.batch, this.time, numHeads, this.config.headDim]);
    return transpose(this.g, split, [0, 2, 1, 3]);
  }
}
