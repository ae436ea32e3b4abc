import { add, cast, concat, float, gather, Graph, int, linear, mul, rmsNorm, silu, type Tensor } from '@attune/graph';
import type { ModelConfig } from '../config.js';
import type { LayerAdapterKind } from './adapter.js';
import { type AdapterGraph, emitBottleneck, emitLowRank } from './adapter-graph.js';
import { blockSizeFor, type WeightFormat } from './formats.js';
import { servingLayout, type ServingLayer, type ServingLayout, type ServingLinear } from './layout.js';
import { emitDraw } from './draw.js';
import { emitAddAndNorm } from './linear.js';

const MICROSOFT = 'com.microsoft';

export interface DeviceGraphOptions {
  /** fp32 stands for plain products in `real`; int8 and int4 are weights of 8 and 4 bits per block of a row. */
  readonly format: WeightFormat;
  /** What activations, keys and values are. CUDA's attention wants float16. */
  readonly real: 'float32' | 'float16';
  /** Sequences of a run. */
  readonly rows: number;
  /** Positions a sequence may have. */
  readonly maxSeq: number;
  /** Kinds of adapters that all rows of a run share, taken as float32 inputs; none = the base model. */
  readonly adapters: readonly LayerAdapterKind[];
  /** Takes `embeddings` float32 [rows, S, hidden] in place of `ids`: a soft prompt. Default false. */
  readonly embeddings?: boolean;
}

/**
 * The decoder of `servingGraph` for a device. Two things differ. Weights are inputs, under the names that
 * `servingWeights` gives them: initializers would be copied once for every session, whereas device tensors are shared.
 * And each sequence has a KV cache of its own, [1, kvHeads, maxSeq, headDim] a layer, because a device's buffer cannot be
 * entered in the middle: products with the weights serve all rows at once, attention goes row by row.
 *
 * Inputs besides the weights: `ids` int64 [rows, S]; for each row r `last.r` int32 [1], the position of its last token,
 * and `total.r` int32 [], its length after the run, which must lie on the host; `pick` int64 [M], rows of the flattened
 * [rows·S] whose logits are wanted; `past.r.<layer>.key|value`; with `adapters`, `<site>.down|up`.
 * For each pick also `temperature` float32 [M, 1], 0 = the likeliest token, and `uniform` float32 [M, 1] in [0, 1).
 * Outputs: `logits` float32 [M, V]; `drawn` int64 [M], the token that these draw, and `logProb` float32 [M], how likely
 * the model finds it at temperature 1: plain sampling need not fetch the logits; `present.r.<layer>.key|value` like past.
 * S > 1 needs rows = 1.
 */
export function deviceGraph(config: ModelConfig, options: DeviceGraphOptions): Graph {
  return new DeviceGraphBuilder(config, options).build();
}

class DeviceGraphBuilder {
  private readonly g = new Graph('serving on a device');
  private readonly layout: ServingLayout;
  private readonly adapters: AdapterGraph;
  private readonly lengths: readonly { last: Tensor; total: Tensor }[];
  private readonly cos: Tensor;
  private readonly sin: Tensor;

  constructor(
    private readonly config: ModelConfig,
    private readonly options: DeviceGraphOptions,
  ) {
    const { g } = this;
    this.layout = servingLayout(config);
    this.adapters = { kinds: options.adapters, gated: false };
    this.lengths = Array.from({ length: options.rows }, (_, row) => ({
      last: g.input(`last.${row}`, 'int32', [1]),
      total: g.input(`total.${row}`, 'int32', []),
    }));
    const table = [options.maxSeq, this.layout.headDim / 2];
    this.cos = this.weight('rotary.cos', table);
    this.sin = this.weight('rotary.sin', table);
  }

  build(): Graph {
    const { g, config } = this;
    const embedding = this.weight('embedding', [config.vocabSize, config.hiddenSize]);
    let residual = this.embedded(embedding);
    let normed = rmsNorm(g, residual, this.norm('0.norm.attention'), config.rmsNormEps).y;
    this.layout.layers.forEach((layer, index) => {
      const next = index === config.numLayers - 1 ? 'norm.final' : `${index + 1}.norm.attention`;
      const mixed = this.linear(layer.output, this.attention(layer, index, normed));
      const attended = this.behind(`${index}.self_attn`, mixed);
      const between = this.addAndNorm(attended, residual, `${index}.norm.mlp`);
      const fed = this.behind(`${index}.mlp`, this.feedForward(layer, between.normed));
      ({ normed, sum: residual } = this.addAndNorm(fed, between.sum, next));
    });
    this.head(normed, embedding);
    return g;
  }

  private embedded(embedding: Tensor): Tensor {
    const { g } = this;
    const { rows, real, embeddings } = this.options;
    if (embeddings) return cast(g, g.input('embeddings', 'float32', [rows, 'S', this.config.hiddenSize]), real);
    return gather(g, embedding, g.input('ids', 'int64', [rows, 'S']));
  }

  private attention({ qkv }: ServingLayer, index: number, x: Tensor): Tensor {
    const projected = this.linear(qkv, x);
    const rows = this.splitRows(projected, qkv.outSize);
    return concat(
      this.g,
      rows.map((row, r) => this.attendRow(row, r, index)),
      0,
    );
  }

  private splitRows(x: Tensor, width: number): readonly Tensor[] {
    const { rows, real } = this.options;
    if (rows === 1) return [x];
    const attrs = { axis: int(0), num_outputs: int(rows) };
    const outputs = Array.from({ length: rows }, () => ({ dtype: real, shape: [1, 'S', width] }));
    return this.g.emit('Split', [x], { attrs, outputs });
  }

  private attendRow(projected: Tensor, row: number, index: number): Tensor {
    const { g, config } = this;
    const { numHeads, numKvHeads } = config;
    const { headDim } = this.layout;
    const { real, maxSeq } = this.options;
    const cache = { dtype: real, shape: [1, numKvHeads, maxSeq, headDim] };
    const [key, value] = ['key', 'value'].map((kind) => g.input(`past.${row}.${index}.${kind}`, real, cache.shape));
    const { last, total } = this.lengths[row]!;
    const attrs = {
      num_heads: int(numHeads),
      kv_num_heads: int(numKvHeads),
      do_rotary: int(1),
      rotary_interleaved: int(0),
      scale: float(1 / Math.sqrt(config.headDim)),
    };
    const inputs = [projected, null, null, key!, value!, last, total, this.cos, this.sin];
    const outputs = [{ dtype: real, shape: [1, 'S', numHeads * headDim] }, cache, cache];
    const [mixed, newKey, newValue] = g.emit('GroupQueryAttention', inputs, { domain: MICROSOFT, attrs, outputs });
    g.output(`present.${row}.${index}.key`, newKey!);
    g.output(`present.${row}.${index}.value`, newValue!);
    return mixed!;
  }

  /** Down(SiLU(gate(x)) · up(x)): SwiGLU, Shazeer 2020. */
  private feedForward({ gateUp, down }: ServingLayer, x: Tensor): Tensor {
    const both = this.linear(gateUp, x);
    const half = { dtype: this.options.real, shape: [this.options.rows, 'S', this.config.intermediateSize] };
    const attrs = { axis: int(-1), num_outputs: int(2) };
    const [gate, up] = this.g.emit('Split', [both], { attrs, outputs: [half, half] });
    return this.linear(down, mul(this.g, silu(this.g, gate!), up!));
  }

  private addAndNorm(x: Tensor, residual: Tensor, weight: string) {
    return emitAddAndNorm(this.g, x, residual, this.norm(weight), this.config.rmsNormEps);
  }

  private linear(spec: ServingLinear, x: Tensor): Tensor {
    const { name, inSize, outSize } = spec;
    const product = this.product(name, inSize, outSize, x);
    const y = spec.hasBias ? add(this.g, product, this.weight(`${name}.bias`, [outSize])) : product;
    return this.adapt('lora', y, (wide) => emitLowRank(this.g, this.adapters, this.options.format, spec, this.wide(x), wide));
  }

  private behind(block: string, y: Tensor): Tensor {
    return this.adapt('bottleneck', y, (wide) =>
      emitBottleneck(this.g, this.adapters, block, this.config.hiddenSize, wide),
    );
  }

  /** Adapters are computed in float32 whatever the model itself is: they are small, and so are their numbers. */
  private adapt(kind: LayerAdapterKind, y: Tensor, emit: (wide: Tensor) => Tensor): Tensor {
    if (!this.adapters.kinds.includes(kind)) return y;
    return cast(this.g, emit(this.wide(y)), this.options.real);
  }

  private wide(x: Tensor): Tensor {
    return cast(this.g, x, 'float32');
  }

  private product(name: string, inSize: number, outSize: number, x: Tensor): Tensor {
    const { format } = this.options;
    if (format === 'fp32') return this.g.emit('MatMul', [x, this.weight(`${name}.weight`, [inSize, outSize])])[0]!;
    const bits = format === 'int4' ? 4 : 8;
    const block = blockSizeFor(inSize);
    const numBlocks = Math.ceil(inSize / block);
    const values = this.g.input(`${name}.int${bits}`, 'uint8', [outSize, numBlocks, (block * bits) / 8]);
    const scales = this.weight(`${name}.int${bits}.scales`, [outSize, numBlocks]);
    const attrs = { K: int(inSize), N: int(outSize), bits: int(bits), block_size: int(block) };
    return this.g.emit('MatMulNBits', [x, values, scales], { domain: MICROSOFT, attrs })[0]!;
  }

  private head(hidden: Tensor, embedding: Tensor): void {
    const { g, config } = this;
    const { hiddenSize } = config;
    const rows = g.emit('Reshape', [hidden, g.ints([-1, hiddenSize])], {
      outputs: [{ dtype: this.options.real, shape: ['rows*S', hiddenSize] }],
    })[0]!;
    const logits = cast(g, this.vocabulary(gather(g, rows, g.input('pick', 'int64', ['M'])), embedding), 'float32');
    g.output('logits', logits);
    const { token, logProb } = emitDraw(g, logits);
    g.output('drawn', token);
    g.output('logProb', logProb);
  }

  private vocabulary(picked: Tensor, embedding: Tensor): Tensor {
    const { vocabSize, hiddenSize, tieWordEmbeddings } = this.config;
    if (this.options.format !== 'fp32') return this.product('head', hiddenSize, vocabSize, picked);
    const matrix = tieWordEmbeddings ? embedding : this.weight('head.weight', [vocabSize, hiddenSize]);
    return linear(this.g, picked, matrix);
  }

  private norm(name: string): Tensor {
    return this.weight(name, [this.config.hiddenSize]);
  }

  private weight(name: string, shape: readonly number[]): Tensor {
    return this.g.input(name, this.options.real, shape);
  }
}
