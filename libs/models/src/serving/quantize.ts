/** Weights per scale: wider blocks cost less memory traffic and, at 8 bits, lose nothing measurable. */
export const QUANT_BLOCK = 128;
const ZERO_POINT = 128;
const LARGEST = 127;

/** int8 weights in the layout of MatMulNBits: values [rows, blocks, block] around 128, scales [rows, blocks]. */
export interface QuantizedMatrix {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
  readonly numBlocks: number;
}

/** Symmetric 8-bit rounding of a row-major [rows, columns] matrix, one scale per row and block of columns. */
export function quantizeRows(matrix: Float32Array, rows: number, columns: number): QuantizedMatrix {
  const numBlocks = Math.ceil(columns / QUANT_BLOCK);
  const values = new Uint8Array(rows * numBlocks * QUANT_BLOCK).fill(ZERO_POINT);
  const scales = new Float32Array(rows * numBlocks);
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < numBlocks; block++) {
      const start = row * columns + block * QUANT_BLOCK;
      const source = matrix.subarray(start, Math.min(start + QUANT_BLOCK, (row + 1) * columns));
      const at = row * numBlocks + block;
      scales[at] = quantizeBlock(source, values, at * QUANT_BLOCK);
    }
  return { values, scales, numBlocks };
}

function quantizeBlock(source: Float32Array, values: Uint8Array, at: number): number {
  let largest = 0;
  for (const weight of source) largest = Math.max(largest, Math.abs(weight));
  const scale = largest / LARGEST || 1;
  for (let i = 0; i < source.length; i++) values[at + i] = Math.round(source[i]! / scale) + ZERO_POINT;
  return scale;
}
