import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { add, encodeModel, float, gather, Graph, int, mul, rmsNorm, silu, type Tensor } from '@attune/graph';
import { type ModelConfig, rotaryTables } from '@attune/models';
import { createRandom } from '@attune/platform';

const MICROSOFT = 'com.microsoft';
const BLOCK = 32;

/**
 * Writes what transformers.js loads: config.json and an ONNX decoder of random 4-bit weights (blocks of 32, as the files
 * published for it have), whose KV cache goes in and comes out longer by what was read.
 */
export function writeDecoderFolder(folder: string, config: ModelConfig, configJson: object): void {
  mkdirSync(path.join(folder, 'onnx'), { recursive: true });
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(configJson));
  writeFileSync(path.join(folder, 'generation_config.json'), JSON.stringify({ bos_token_id: 1, eos_token_id: [2] }));
  writeFileSync(path.join(folder, 'onnx', 'model_q4.onnx'), encodeModel(new DecoderBuilder(config).build()));
}

class DecoderBuilder {
  private readonly g = new Graph('decoder');
  private readonly bytes = Uint8Array.from({ length: 65_521 }, (_, i) => createRandom(i).int(256));
  private readonly lastPositions: Tensor;
  private readonly longest: Tensor;
  private readonly tables: readonly Tensor[];

  constructor(private readonly config: ModelConfig) {
    const { g } = this;
    const mask = g.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length']);
    const lengths = g.emit('ReduceSum', [mask, g.ints([1])], {
      attrs: { keepdims: int(0) },
      outputs: [{ dtype: 'int64', shape: ['batch_size'] }],
    })[0]!;
    const last = g.emit('Sub', [lengths, g.ints([1])])[0]!;
    this.lastPositions = toInt32(g, last);
    const total = g.emit('Gather', [g.emit('Shape', [mask])[0]!, g.scalar(1, 'int64')], {
      outputs: [{ dtype: 'int64', shape: [] }],
    })[0]!;
    this.longest = toInt32(g, total);
    const { cos, sin } = rotaryTables(config, config.maxPositions);
    const shape = [config.maxPositions, config.headDim / 2];
    this.tables = [g.constant('float32', shape, cos), g.constant('float32', shape, sin)];
  }

  build(): Graph {
    const { g, config } = this;
    const { vocabSize, hiddenSize: hidden, intermediateSize: inner, numHeads, headDim, rmsNormEps } = config;
    const table = g.constant('float32', [vocabSize, hidden], new Float32Array(vocabSize * hidden).fill(0.5));
    let residual = gather(g, table, g.input('input_ids', 'int64', ['batch_size', 'sequence_length']));
    let normed = rmsNorm(g, residual, this.norm(), rmsNormEps).y;
    for (let layer = 0; layer < config.numLayers; layer++) {
      const attended = this.linear(this.attention(layer, normed), numHeads * headDim, hidden);
      [normed, residual] = this.addAndNorm(attended, residual);
      const gate = silu(g, this.linear(normed, hidden, inner));
      const fed = this.linear(mul(g, gate, this.linear(normed, hidden, inner)), inner, hidden);
      [normed, residual] = this.addAndNorm(fed, residual);
    }
    g.output('logits', this.linear(normed, hidden, vocabSize));
    return g;
  }

  private attention(layer: number, x: Tensor): Tensor {
    const { g, config } = this;
    const { numHeads, numKvHeads, headDim, hiddenSize: hidden } = config;
    const past = (kind: string) =>
      g.input(`past_key_values.${layer}.${kind}`, 'float32', [
        'batch_size',
        numKvHeads,
        'past_sequence_length',
        headDim,
      ]);
    const bias = config.qkvBias;
    const inputs = [
      this.linear(x, hidden, numHeads * headDim, bias),
      this.linear(x, hidden, numKvHeads * headDim, bias),
      this.linear(x, hidden, numKvHeads * headDim, bias),
      past('key'),
      past('value'),
      this.lastPositions,
      this.longest,
      ...this.tables,
    ];
    const attrs = { num_heads: int(numHeads), kv_num_heads: int(numKvHeads), do_rotary: int(1) };
    const cache = { dtype: 'float32', shape: ['batch_size', numKvHeads, 'total_sequence_length', headDim] } as const;
    const outputs = [
      { dtype: 'float32', shape: ['batch_size', 'sequence_length', numHeads * headDim] } as const,
      cache,
      cache,
    ];
    const [mixed, key, value] = g.emit('GroupQueryAttention', inputs, { domain: MICROSOFT, attrs, outputs });
    g.output(`present.${layer}.key`, key!);
    g.output(`present.${layer}.value`, value!);
    return mixed!;
  }

  private addAndNorm(x: Tensor, residual: Tensor): [Tensor, Tensor] {
    const attrs = { epsilon: float(this.config.rmsNormEps) };
    const out = this.g.emit('SkipSimplifiedLayerNormalization', [x, residual, this.norm()], {
      domain: MICROSOFT,
      attrs,
    });
    return [out[0]!, out[3]!];
  }

  private linear(x: Tensor, inSize: number, outSize: number, hasBias = false): Tensor {
    const { g } = this;
    const numBlocks = Math.ceil(inSize / BLOCK);
    const values = Uint8Array.from({ length: (outSize * numBlocks * BLOCK) / 2 }, (_, i) => this.bytes[i % 65_521]!);
    const scales = new Float32Array(outSize * numBlocks).fill(0.01);
    const inputs = [
      x,
      g.constant('uint8', [outSize, numBlocks, BLOCK / 2], values),
      g.constant('float32', [outSize, numBlocks], scales),
    ];
    const attrs = { K: int(inSize), N: int(outSize), bits: int(4), block_size: int(BLOCK), accuracy_level: int(4) };
    const y = g.emit('MatMulNBits', inputs, { domain: MICROSOFT, attrs })[0]!;
    return hasBias ? add(g, y, g.constant('float32', [outSize], new Float32Array(outSize))) : y;
  }

  private norm(): Tensor {
    const { hiddenSize } = this.config;
    return this.g.constant('float32', [hiddenSize], new Float32Array(hiddenSize).fill(1));
  }
}

const toInt32 = (g: Graph, x: Tensor): Tensor =>
  g.emit('Cast', [x], { attrs: { to: int(6) }, outputs: [{ dtype: 'int32', shape: x.shape }] })[0]!;
