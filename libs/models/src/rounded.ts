import type { ModelConfig } from './config.js';
import { headName } from './heads.js';
import { linearShapes } from './parameters.js';
import { embeddingBlock } from './serving/embedding.js';
import { quantizeColumns, quantizeRows } from './serving/quantize.js';

/** Side of the squares that are transposed together, so that neither side is read or written a byte at a time far apart. */
const TILE = 64;
/** Bytes of a scale. */
const SCALE = 4;

/** Names of what a parameter W [out, in] becomes when it is rounded: see RoundedMatrix. The head has no rows. */
export const roundedNames = (name: string) => ({
  scales: `${name}.int8.scales`,
  columns: `${name}.int8.columns`,
  rows: `${name}.int8.rows`,
});

/** Names of the token embeddings in 8 bits: see RoundedTable. */
export const ROUNDED_EMBEDDING = { values: 'embedding.int8', scales: 'embedding.int8.scales' } as const;

/** Rounds a row-major matrix [out, in] as int8 serving does, into the arrays of a RoundedColumns. */
export function roundColumns(weight: Float32Array, [out, inner]: readonly [number, number]) {
  const { values: columns, scales } = quantizeColumns(weight, out, inner);
  return { scales, columns };
}

/** The rows [out, in] of a RoundedMatrix out of its columns. */
export const roundedRows = (columns: Int8Array, [out, inner]: readonly [number, number]): Int8Array =>
  transposed(columns, inner, out);

/** Rounds the token embeddings [V, hidden] as int8 serving does; null where their width fits no block and they stay. */
export function roundEmbedding(config: ModelConfig, table: Float32Array) {
  const block = embeddingBlock(config);
  return block === null ? null : quantizeRows(table, config.vocabSize, config.hiddenSize, block);
}

/** The matrices that int8 serving rounds, [out, in] each; the head has a row for every token. */
export function roundedShapes(config: ModelConfig): ReadonlyMap<string, readonly [number, number]> {
  const layers = Array.from({ length: config.numLayers }, (_, layer) => [...linearShapes(config, layer)]);
  const linears = layers.flat().map(([module, shape]) => [`${module}.weight`, shape] as const);
  return new Map([...linears, [headName(config), [config.vocabSize, config.hiddenSize]]]);
}

/** Bytes of the matrices and the embeddings in 8 bits, with their scales. */
export function roundedBytes(config: ModelConfig): number {
  const { vocabSize, hiddenSize } = config;
  const ofMatrix = (name: string, out: number, inner: number) =>
    (name === headName(config) ? 1 : 2) * out * inner + SCALE * out;
  const matrices = [...roundedShapes(config)].reduce((sum, [name, [out, inner]]) => sum + ofMatrix(name, out, inner), 0);
  const block = embeddingBlock(config);
  return matrices + (block === null ? 0 : vocabSize * (hiddenSize + SCALE * (hiddenSize / block)));
}

function transposed(values: Int8Array, rows: number, columns: number): Int8Array {
  const turned = new Int8Array(values.length);
  for (let first = 0; first < rows; first += TILE) {
    const end = Math.min(first + TILE, rows);
    for (let column = 0; column < columns; column++)
      for (let row = first; row < end; row++) turned[column * rows + row] = values[row * columns + column]!;
  }
  return turned;
}
