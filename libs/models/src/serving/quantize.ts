/** Rounded weights in the layout of MatMulNBits: values [rows, blocks, bytes a block] around a zero point, scales [rows, blocks]. */
export interface BlockedMatrix {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
  readonly numBlocks: number;
}

/** Rounded weights with one scale per output: values [columns, rows], the transpose of the source; scales [rows]. */
export interface ColumnMatrix {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

const ZERO_8 = 128;
const LARGEST_8 = 127;
/** Outputs transposed together, so that neither side is read or written a byte at a time far apart. */
const TILE = 64;

/** Symmetric 8-bit rounding of a row-major [rows, columns] matrix, one scale per row and block of columns. */
export function quantizeRows(matrix: Float32Array, rows: number, columns: number, block: number): BlockedMatrix {
  const numBlocks = Math.ceil(columns / block);
  const values = new Uint8Array(rows * numBlocks * block).fill(ZERO_8);
  const scales = new Float32Array(rows * numBlocks);
  for (let row = 0; row < rows; row++)
    for (let index = 0; index < numBlocks; index++) {
      const source = blockOf(matrix, row, columns, index, block);
      const at = row * numBlocks + index;
      const scale = (scales[at] = scaleOf(source));
      const inverse = 1 / scale;
      for (let i = 0; i < source.length; i++) values[at * block + i] = byteOf(source[i]! * inverse);
    }
  return { values, scales, numBlocks };
}

/** Symmetric 8-bit rounding of a row-major [rows, columns] matrix, one scale per row, written column by column. */
export function quantizeColumns(matrix: Float32Array, rows: number, columns: number): ColumnMatrix {
  const values = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) scales[row] = scaleOf(matrix.subarray(row * columns, (row + 1) * columns));
  const inverse = Float64Array.from(scales, (scale) => 1 / scale);
  for (let first = 0; first < rows; first += TILE) {
    const end = Math.min(first + TILE, rows);
    for (let column = 0; column < columns; column++)
      for (let row = first; row < end; row++)
        values[column * rows + row] = byteOf(matrix[row * columns + column]! * inverse[row]!) - ZERO_8;
  }
  return { values, scales };
}

/** The integer nearest to a value of −127 … 127, counted from −128. Cheaper than Math.round, for every weight of a model. */
const byteOf = (value: number) => (value + ZERO_8 + 0.5) | 0;

/** One block of a row; the last may be shorter. */
function blockOf(matrix: Float32Array, row: number, columns: number, index: number, block: number) {
  const start = row * columns + index * block;
  return matrix.subarray(start, Math.min(start + block, (row + 1) * columns));
}

function scaleOf(source: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < source.length; i++) largest = Math.max(largest, Math.abs(source[i]!));
  return largest / LARGEST_8 || 1;
}
