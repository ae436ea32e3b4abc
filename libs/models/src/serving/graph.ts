import { float, gather, Graph, int, linear, mul, rmsNorm, silu, string, type Tensor } from '@attune/graph';
import type { ModelConfig } from '../config.js';
import { type AdapterGraph, emitBottleneck, emitLowRank } from './adapter-graph.js';
import { embeddingTable, emitEmbedding } from './embedding.js';
import { servingLayout, type ServingLayer, type ServingLayout, type ServingLinear } from './layout.js';
import { emitAddAndNorm, emitLinear } from './linear.js';
import type { ServingOptions } from './weights.js';

const MICROSOFT = 'com.microsoft';

/** One scale per key or value channel, 8 bits each. */
const QUANTIZED_CACHE = {
  k_quant_type: string('PER_CHANNEL'),
  v_quant_type: string('PER_CHANNEL'),
  kv_cache_bit_width: int(8),
};

export interface ServingGraphOptions extends ServingOptions {
  /** Which adapters it takes as inputs. */
  readonly adapters: AdapterGraph;
  /** Takes `embeddings` float32 [B, S, hidden] in place of `ids`: a soft prompt. Default false. */
  readonly embeddings?: boolean;
}

/**
 * A decoder that reads and writes its KV cache in place. The caller gives the same memory as past and present.
 *
 * Inputs: `ids` int64 [B, S]; `lastPositions` int32 [B], position of each row's last token; `longest` int32 [], length
 * of the longest row after this run; `pick` int64 [M], rows of the flattened [B·S] whose logits are wanted;
 * `past.<layer>.key|value` [B, kvHeads, maxSeq, headDim], float32 or int8; with `adapters`, those of
 * `adapterInputs` or of an `AdapterBank`, whose widths may be 0. Outputs: `logits` [M, V] and `present.<layer>.key|value` like past.
 * B > 1 needs S = 1 (the CPU attention kernel has no ragged batches over a past).
 */
export function servingGraph(config: ModelConfig, options: ServingGraphOptions): Graph {
  return new ServingGraphBuilder(config, options).build();
}

class ServingGraphBuilder {
  private readonly g = new Graph('serving');
  private readonly layout: ServingLayout;
  private readonly lastPositions = this.g.input('lastPositions', 'int32', ['B']);
  private readonly longest = this.g.input('longest', 'int32', []);
  private readonly cos: Tensor;
  private readonly sin: Tensor;

  constructor(
    private readonly config: ModelConfig,
    private readonly options: ServingGraphOptions,
  ) {
    this.layout = servingLayout(config);
    const table = [options.maxSeq, this.layout.headDim / 2];
    this.cos = this.g.initializer('rotary.cos', 'float32', table);
    this.sin = this.g.initializer('rotary.sin', 'float32', table);
  }

  build(): Graph {
    const { g, config } = this;
    let residual = this.options.embeddings
      ? g.input('embeddings', 'float32', ['B', 'S', config.hiddenSize])
      : emitEmbedding(g, config, this.options, g.input('ids', 'int64', ['B', 'S']));
    let normed = rmsNorm(g, residual, this.norm('0.norm.attention'), config.rmsNormEps).y;
    this.layout.layers.forEach((layer, index) => {
      const isLast = index === config.numLayers - 1;
      const attended = this.adapted(
        `${index}.self_attn`,
        this.linear(layer.output, this.attention(layer, index, normed)),
      );
      const between = this.addAndNorm(attended, residual, `${index}.norm.mlp`);
      const fed = this.adapted(`${index}.mlp`, this.feedForward(layer, between.normed));
      const next = isLast ? 'norm.final' : `${index + 1}.norm.attention`;
      ({ normed, sum: residual } = this.addAndNorm(fed, between.sum, next));
    });
    g.output('logits', this.head(normed));
    return g;
  }

  private attention({ qkv }: ServingLayer, index: number, x: Tensor): Tensor {
    const { g, config } = this;
    const { headDim } = this.layout;
    const shape = ['B', config.numKvHeads, this.options.maxSeq, headDim];
    const cache = { dtype: this.options.kv === 'int8' ? 'int8' : 'float32', shape } as const;
    const past = ['key', 'value'].map((kind) => g.input(`past.${index}.${kind}`, cache.dtype, shape));
    const attrs = {
      num_heads: int(config.numHeads),
      kv_num_heads: int(config.numKvHeads),
      do_rotary: int(1),
      rotary_interleaved: int(0),
      scale: float(1 / Math.sqrt(config.headDim)),
      ...(cache.dtype === 'int8' ? QUANTIZED_CACHE : {}),
    };
    const projected = this.linear(qkv, x);
    const inputs = [projected, null, null, ...past, this.lastPositions, this.longest, this.cos, this.sin];
    if (cache.dtype === 'int8') inputs.push(null, null, null, ...this.cacheScales(index));
    const outputs = [{ dtype: 'float32', shape: ['B', 'S', config.numHeads * headDim] } as const, cache, cache];
    const [mixed, key, value] = g.emit('GroupQueryAttention', inputs, { domain: MICROSOFT, attrs, outputs });
    g.output(`present.${index}.key`, key!);
    g.output(`present.${index}.value`, value!);
    return mixed!;
  }

  private cacheScales(index: number): Tensor[] {
    const shape = [this.config.numKvHeads, 1, this.layout.headDim];
    return ['key', 'value'].map((kind) => this.g.initializer(`${index}.${kind}.scales`, 'float32', shape));
  }

  /** Down(SiLU(gate(x)) · up(x)): SwiGLU, Shazeer 2020. */
  private feedForward({ gateUp, down }: ServingLayer, x: Tensor): Tensor {
    const both = this.linear(gateUp, x);
    const half = { dtype: 'float32', shape: ['B', 'S', this.config.intermediateSize] } as const;
    const attrs = { axis: int(-1), num_outputs: int(2) };
    const [gate, up] = this.g.emit('Split', [both], { attrs, outputs: [half, half] });
    return this.linear(down, mul(this.g, silu(this.g, gate!), up!));
  }

  private addAndNorm(x: Tensor, residual: Tensor, weight: string) {
    return emitAddAndNorm(this.g, x, residual, this.norm(weight), this.config.rmsNormEps);
  }

  private linear(spec: ServingLinear, x: Tensor): Tensor {
    const { format, adapters } = this.options;
    return emitLowRank(this.g, adapters, format, spec, x, emitLinear(this.g, format, spec, x));
  }

  private adapted(block: string, y: Tensor): Tensor {
    return emitBottleneck(this.g, this.options.adapters, block, this.config.hiddenSize, y);
  }

  private head(hidden: Tensor): Tensor {
    const { g, config } = this;
    const { vocabSize, hiddenSize } = config;
    const rows = g.emit('Reshape', [hidden, g.ints([-1, hiddenSize])], {
      outputs: [{ dtype: 'float32', shape: ['B*S', hiddenSize] }],
    })[0]!;
    const picked = gather(g, rows, g.input('pick', 'int64', ['M']));
    if (this.options.format !== 'fp32')
      return emitLinear(
        g,
        this.options.format,
        { name: 'head', inSize: hiddenSize, outSize: vocabSize, hasBias: false },
        picked,
      );
    const tied = config.tieWordEmbeddings;
    return linear(g, picked, tied ? embeddingTable(g, config) : g.initializer('head.weight', 'float32', [vocabSize, hiddenSize]));
  }

  private norm(name: string): Tensor {
    return this.g.initializer(name, 'float32', [this.config.hiddenSize]);
  }
}
