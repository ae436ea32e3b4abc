import type { DType, TypedArray } from '@attune/graph';
import type { ModelConfig } from '../config.js';
import { EMBEDDING, FINAL_NORM, layerName, LM_HEAD } from '../parameters.js';
import { rotaryTables } from '../rope.js';
import { linearsOf, servingLayout, type ServingLinear } from './layout.js';
import { type EmbeddingFormat, embeddingWeights } from './embedding.js';
import { blockSizeFor, type KvFormat, type LinearFormat } from './formats.js';
import type { LinearShape } from './linear.js';
import { quantizeColumns, quantizeRows } from './quantize.js';
import { type Int4Rounding, quantizeInt4 } from './quantize-int4.js';

type ServingData<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'uint8'
    ? Uint8Array
    : D extends 'int8'
      ? Int8Array
      : TypedArray;

/** A literal tensor, shaped as the runtime's host tensors are. */
export interface ServingTensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ServingData<D>;
}

export interface ServingOptions {
  readonly format: LinearFormat;
  /** Positions a sequence may have: length of the rotary tables. */
  readonly maxSeq: number;
  /** How keys and values are cached; default fp32. int8 needs the initializers `<layer>.key|value.scales`. */
  readonly kv?: KvFormat;
  /** Default fp32; int8 only where the format is not fp32, whose head may multiply by the same table. */
  readonly embedding?: EmbeddingFormat;
  /** How int4 weights are rounded; default least-error. */
  readonly int4Rounding?: Int4Rounding;
}

/** Reads a checkpoint parameter by its Hugging Face name, row-major float32. */
export type ParameterReader = (name: string) => Float32Array;

export type ServingWeights = Record<string, ServingTensor<'float32'> | ServingTensor<'uint8'> | ServingTensor<'int8'>>;

/** The initializers of the serving graph: fused, padded and, where asked for, quantized. */
export function servingWeights(config: ModelConfig, read: ParameterReader, options: ServingOptions): ServingWeights {
  const layout = servingLayout(config);
  const weights: ServingWeights = {
    ...embeddingWeights(config, read, options),
    'norm.final': vector(read(FINAL_NORM)),
    ...rotaryWeights(config, layout.headDim, options.maxSeq),
    ...headWeights(config, read, options),
  };
  for (let layer = 0; layer < config.numLayers; layer++) {
    weights[`${layer}.norm.attention`] = vector(read(`${layerName(layer)}.input_layernorm.weight`));
    weights[`${layer}.norm.mlp`] = vector(read(`${layerName(layer)}.post_attention_layernorm.weight`));
  }
  for (const linear of linearsOf(layout)) Object.assign(weights, linearWeights(linear, read, options));
  return weights;
}

function linearWeights(linear: ServingLinear, read: ParameterReader, options: ServingOptions): ServingWeights {
  const { name, inSize, outSize } = linear;
  const weights: ServingWeights =
    options.format === 'fp32'
      ? { [`${name}.weight`]: matrix([inSize, outSize], fuse(linear, read, 1, outSize)) }
      : rounded(name, fuse(linear, read, inSize, 1), outSize, inSize, options, linear.norm ? read(linear.norm) : null);
  if (linear.hasBias) weights[`${name}.bias`] = vector(fuseBias(linear, read));
  return weights;
}

/** A plain linear layer by `weight` [in, out], as `emitLinear` wants it in this format. */
export function linearTensors(format: LinearFormat, shape: LinearShape, weight: Float32Array): ServingWeights {
  const { name, inSize, outSize } = shape;
  if (format === 'fp32') return { [`${name}.weight`]: matrix([inSize, outSize], weight) };
  const turned = new Float32Array(weight.length);
  for (let row = 0; row < inSize; row++)
    for (let column = 0; column < outSize; column++) turned[column * inSize + row] = weight[row * outSize + column]!;
  return rounded(name, turned, outSize, inSize, { format }, null);
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

function headWeights(config: ModelConfig, read: ParameterReader, options: ServingOptions): ServingWeights {
  const { vocabSize, hiddenSize, tieWordEmbeddings } = config;
  const weight = tieWordEmbeddings ? EMBEDDING : LM_HEAD;
  if (options.format !== 'fp32') return rounded('head', read(weight), vocabSize, hiddenSize, options, read(FINAL_NORM));
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

/** Weights [rows = out, columns = in] as `emitLinear` wants them in this format. */
function rounded(
  name: string,
  source: Float32Array,
  rows: number,
  columns: number,
  options: Pick<ServingOptions, 'format' | 'int4Rounding'>,
  gains: Float32Array | null,
): ServingWeights {
  if (options.format === 'dq8r') return byColumn(name, source, rows, columns);
  const block = blockSizeFor(columns);
  const bits = options.format === 'int4' ? 4 : 8;
  const { values, scales, numBlocks } =
    bits === 4
      ? quantizeInt4(source, rows, columns, block, options.int4Rounding, gains)
      : quantizeRows(source, rows, columns, block);
  const weights: ServingWeights = {
    [`${name}.int${bits}`]: { dtype: 'uint8', shape: [rows, numBlocks, (block * bits) / 8], data: values },
    [`${name}.int${bits}.scales`]: matrix([rows, numBlocks], scales),
  };
  return weights;
}

function byColumn(name: string, source: Float32Array, rows: number, columns: number): ServingWeights {
  const { values, scales } = quantizeColumns(source, rows, columns);
  return {
    [`${name}.columns`]: { dtype: 'int8', shape: [columns, rows], data: values },
    [`${name}.columns.scales`]: vector(scales),
  };
}

const matrix = (shape: readonly number[], data: Float32Array): ServingTensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data,
});
const vector = (data: Float32Array) => matrix([data.length], data);
