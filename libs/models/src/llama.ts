import {
  add,
  attention,
  type AttentionPlan,
  attentionPlan,
  concat,
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
  silu,
  split,
  type Tensor,
  transpose,
} from '@attune/graph';
import type { ModelConfig } from './config.js';
import { EMBEDDING, FINAL_NORM, layerName } from './parameters.js';
import { rotaryTables } from './rope.js';
import { gatherRounded } from './serving/embedding.js';
import type { LowRank, Weights } from './weights.js';

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
    const [query, key, value] = this.linears([`${name}.q_proj`, `${name}.k_proj`, `${name}.v_proj`], x);
    const q = this.heads(this.rotate(query!, numHeads), numHeads);
    const k = this.heads(this.rotate(key!, numKvHeads), numKvHeads);
    const v = this.heads(value!, numKvHeads);
    const mixed = attention(g, q, k, v, this.plan, 1 / Math.sqrt(headDim));
    const merged = reshape(g, transpose(g, mixed, [0, 2, 1, 3]), [this.rows, numHeads * headDim]);
    return this.adapted(name, this.linears([`${name}.o_proj`], merged)[0]!);
  }

  /** Down(SiLU(gate(x)) · up(x)): SwiGLU, Shazeer 2020. */
  private mlp(name: string, x: Tensor): Tensor {
    const [gate, up] = this.linears([`${name}.gate_proj`, `${name}.up_proj`], x);
    const inner = mul(this.g, silu(this.g, gate!), up!);
    return this.adapted(name, this.linears([`${name}.down_proj`], inner)[0]!);
  }

  /** A block's output through its adapter layer, where it has one (Houlsby et al. 2019, section 2.1). */
  private adapted(block: string, y: Tensor): Tensor {
    const layer = this.weights.bottleneck?.(block);
    if (!layer) return y;
    return matmul(this.g, silu(this.g, linear(this.g, y, layer.down)), layer.up, { transB: true, plus: y });
  }

  /** Linear modules over the same input, with their adapters. */
  private linears(modules: readonly string[], x: Tensor): Tensor[] {
    const adapters = modules.map((module) => this.weights.adapter?.(module) ?? null);
    const narrow = this.narrowed(adapters, x);
    return modules.map((module, i) => {
      const base = this.baseLinear(module, x);
      const adapter = adapters[i];
      if (!adapter) return base;
      return matmul(this.g, narrow[i]!, adapter.b, { transB: true, alpha: adapter.scale, plus: base });
    });
  }

  /**
   * x Aᵀ for the A of each adapter, in one product: a matrix of rank 16 is so narrow that reading x is most of the work,
   * forward and for each gradient.
   */
  private narrowed(adapters: readonly (LowRank | null)[], x: Tensor): (Tensor | null)[] {
    const { g } = this;
    const present = adapters.filter((adapter) => adapter !== null);
    if (present.length < 2) return adapters.map((adapter) => adapter && linear(g, x, adapter.a));
    const ranks = present.map(({ a }) => a.shape[0] as number);
    const all = linear(g, x, concat(g, present.map(({ a }) => a), 0));
    const parts = split(g, all, 1, g.ints(ranks), ranks);
    return adapters.map((adapter) => adapter && parts[present.indexOf(adapter)]!);
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
