import type { BlockedMatrix } from './quantize.js';

/** plain: the extreme weight sets the scale. least-error: the scale whose rounding loses least. */
export type Int4Rounding = 'plain' | 'least-error';

const ZERO = 8;
const LOWEST = -8;
/** Steps of a nibble, counted from the lowest. */
const HIGHEST = 15;
/** Shares of the plain scale that are tried; below 1 the extreme weight is cut off so that all others round finer. */
const SHRINK = [1, 0.93, 0.86, 0.79, 0.72] as const;

/**
 * 4-bit rounding of a row-major [rows, columns] matrix for MatMulNBits, two weights a byte, low half first.
 * A block spans −8 … 7 steps, so its extreme weight is put on the side with one step more (as llama.cpp's Q4_0 does).
 * With least-error, smaller scales are tried too, and each is improved for the integers it leads to.
 * @param gains of the norm that the activations come from, one a column: behind a norm all channels are about equally
 *   large but for these, so an error counts by the square of its column's gain. Null = all count the same.
 */
export function quantizeInt4(
  matrix: Float32Array,
  rows: number,
  columns: number,
  block: number,
  rounding: Int4Rounding = 'least-error',
  gains: Float32Array | null = null,
): BlockedMatrix {
  const numBlocks = Math.ceil(columns / block);
  const values = new Uint8Array((rows * numBlocks * block) / 2).fill(ZERO * 0x11);
  const scales = new Float32Array(rows * numBlocks);
  const shares = new Float32Array(columns).map((_, column) => (gains ? gains[column]! ** 2 : 1));
  for (let row = 0; row < rows; row++)
    for (let index = 0; index < numBlocks; index++) {
      const start = row * columns + index * block;
      const end = Math.min(start + block, (row + 1) * columns);
      const at = row * numBlocks + index;
      const first = index * block;
      const scale =
        rounding === 'plain' ? plainScale(matrix, start, end) : leastErrorScale(matrix, start, end, shares, first);
      scales[at] = scale;
      writeBlock(matrix, start, end, scale, values, (at * block) / 2);
    }
  return { values, scales, numBlocks };
}

// The inner loops run several times over every weight of a model, so they take ranges and return plain numbers.

function plainScale(matrix: Float32Array, start: number, end: number): number {
  let [lowest, highest] = [0, 0];
  for (let i = start; i < end; i++) {
    const value = matrix[i]!;
    if (value < lowest) lowest = value;
    else if (value > highest) highest = value;
  }
  return (-lowest > highest ? lowest : highest) / LOWEST || 1;
}

function leastErrorScale(
  matrix: Float32Array,
  start: number,
  end: number,
  shares: Float32Array,
  first: number,
): number {
  const widest = plainScale(matrix, start, end);
  const sums = { along: 0, square: 0 };
  let best = widest;
  let mostGain = 0;
  for (const share of SHRINK) {
    addUp(matrix, start, end, widest * share, shares, first, sums);
    const gain = sums.along ** 2 / sums.square;
    if (!(gain > mostGain)) continue;
    mostGain = gain;
    best = sums.along / sums.square;
  }
  return best;
}

/**
 * w·q and q·q, each term times its column's share, for the integers q that a scale rounds to. The scale that fits these integers best is (w·q) / (q·q), and
 * what its squared error then lacks of the block's own square sum, its gain, is (w·q)² / (q·q).
 */
function addUp(
  matrix: Float32Array,
  start: number,
  end: number,
  scale: number,
  shares: Float32Array,
  first: number,
  into: { along: number; square: number },
) {
  const inverse = 1 / scale;
  let along = 0;
  let square = 0;
  for (let i = start; i < end; i++) {
    const q = nibbleOf(matrix[i]! * inverse) - ZERO;
    const weighted = q * shares[first + i - start]!;
    along += matrix[i]! * weighted;
    square += q * weighted;
  }
  into.along = along;
  into.square = square;
}

function writeBlock(matrix: Float32Array, start: number, end: number, scale: number, values: Uint8Array, at: number) {
  const inverse = 1 / scale;
  for (let i = start; i < end; i++) {
    const nibble = nibbleOf(matrix[i]! * inverse);
    const byte = at + ((i - start) >> 1);
    values[byte] = (i - start) & 1 ? (values[byte]! & 0x0f) | (nibble << 4) : (values[byte]! & 0xf0) | nibble;
  }
}

/** The step nearest to a value, counted from the lowest: 0 … 15. */
function nibbleOf(value: number): number {
  const step = (value + ZERO + 0.5) | 0;
  return step < 0 ? 0 : step > HIGHEST ? HIGHEST : step;
}
