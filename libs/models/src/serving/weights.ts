import type { DType, TypedArray } from '@attune/graph';
import type { ModelConfig } from '../config.js';
import { EMBEDDING, FINAL_NORM, layerName, LM_HEAD } from '../parameters.js';
import { rotaryTables } from '../rope.js';
import { linearsOf, servingLayout, type ServingLinear } from './layout.js';
import { QUANT_BLOCK, quantizeRows } from './quantize.js';

export type WeightFormat = 'fp32' | 'int8';

/** A literal tensor, shaped as the runtime's host tensors are. */
export interface ServingTensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: D extends 'float32' ? Float32Array : D extends 'uint8' ? Uint8Array : TypedArray;
}

export interface ServingOptions {
  readonly format: WeightFormat;
  /** Positions a sequence may have: length of the rotary tables. */
  readonly maxSeq: number;
}

/** Reads a checkpoint parameter by its Hugging Face name, row-major float32. */
export type ParameterReader = (name: string) => Float32Array;

export type ServingWeights = Record<string, ServingTensor<'float32'> | ServingTensor<'uint8'>>;

/** The initializers of the serving graph: fused, padded and, where asked for, quantized. */
export function servingWeights(config: ModelConfig, read: ParameterReader, options: ServingOptions): ServingWeights {
  const layout = servingLayout(config);
  const weights: ServingWeights = {
    embedding: matrix([config.vocabSize, config.hiddenSize], read(EMBEDDING)),
    'norm.final': vector(read(FINAL_NORM)),
    ...rotaryWeights(config, layout.headDim, options.maxSeq),
    ...headWeights(config, read, options.format),
  };
  for (let layer = 0; layer < config.numLayers; layer++) {
    weights[`${layer}.norm.attention`] = vector(read(`${layerName(layer)}.input_layernorm.weight`));
    weights[`${layer}.norm.mlp`] = vector(read(`${layerName(layer)}.post_attention_layernorm.weight`));
  }
  for (const linear of linearsOf(layout)) Object.assign(weights, linearWeights(linear, read, options.format));
  return weights;
}

function linearWeights(linear: ServingLinear, read: ParameterReader, format: WeightFormat): ServingWeights {
  const { name, inSize, outSize } = linear;
  const weights: ServingWeights =
    format === 'int8'
      ? quantized(name, fuse(linear, read, inSize, 1), outSize, inSize)
      : { [`${name}.weight`]: matrix([inSize, outSize], fuse(linear, read, 1, outSize)) };
  if (linear.hasBias) weights[`${name}.bias`] = vector(fuseBias(linear, read));
  return weights;
}

/** Element (row, column) of every part goes to row · rowStride + column · columnStride of one matrix. */
function fuse(linear: ServingLinear, read: ParameterReader, rowStride: number, columnStride: number): Float32Array {
  const { inMap, parts } = linear;
  const fused = new Float32Array(linear.inSize * linear.outSize);
  for (const { module, outMap } of parts) {
    const source = read(`${module}.weight`);
    for (let row = 0; row < outMap.length; row++) {
      const at = outMap[row]! * rowStride;
      const from = row * inMap.length;
      for (let column = 0; column < inMap.length; column++)
        fused[at + inMap[column]! * columnStride] = source[from + column]!;
    }
  }
  return fused;
}

function fuseBias({ outSize, parts }: ServingLinear, read: ParameterReader): Float32Array {
  const fused = new Float32Array(outSize);
  for (const { module, outMap } of parts) read(`${module}.bias`).forEach((value, row) => (fused[outMap[row]!] = value));
  return fused;
}

function headWeights(config: ModelConfig, read: ParameterReader, format: WeightFormat): ServingWeights {
  const { vocabSize, hiddenSize, tieWordEmbeddings } = config;
  const weight = tieWordEmbeddings ? EMBEDDING : LM_HEAD;
  if (format === 'int8') return quantized('head', read(weight), vocabSize, hiddenSize);
  return tieWordEmbeddings ? {} : { 'head.weight': matrix([vocabSize, hiddenSize], read(weight)) };
}

function rotaryWeights(config: ModelConfig, headDim: number, maxSeq: number): ServingWeights {
  const { cos, sin } = rotaryTables(config, maxSeq);
  const table = (values: Float32Array) =>
    matrix([maxSeq, headDim / 2], widen(values, maxSeq, config.headDim / 2, headDim / 2));
  return { 'rotary.cos': table(cos), 'rotary.sin': table(sin) };
}

/** Rows of `from` columns into rows of `to`, zeros behind: the columns that padded (zero) heads would rotate by. */
function widen(values: Float32Array, rows: number, from: number, to: number): Float32Array {
  if (from === to) return values;
  const wide = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) wide.set(values.subarray(row * from, (row + 1) * from), row * to);
  return wide;
}

function quantized(name: string, source: Float32Array, rows: number, columns: number): ServingWeights {
  const { values, scales, numBlocks } = quantizeRows(source, rows, columns);
  return {
    [`${name}.values`]: { dtype: 'uint8', shape: [rows, numBlocks, QUANT_BLOCK], data: values },
    [`${name}.scales`]: matrix([rows, numBlocks], scales),
  };
}

const matrix = (shape: readonly number[], data: Float32Array): ServingTensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data,
});
const vector = (data: Float32Array) => matrix([data.length], data);
