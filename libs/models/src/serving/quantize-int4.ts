import { type BlockedMatrix, blockOf } from './quantize.js';

/** plain: the extreme weight sets the scale. least-error: the scale whose rounding loses least. */
export type Int4Rounding = 'plain' | 'least-error';

const ZERO = 8;
const LOWEST = -8;
const HIGHEST = 7;
/** Shares of the plain scale that are tried; below 1 the extreme weight is cut off so that all others round finer. */
const SHRINK = [1, 0.93, 0.86, 0.79, 0.72] as const;

/**
 * 4-bit rounding of a row-major [rows, columns] matrix for MatMulNBits, two weights a byte, low half first.
 * A block spans −8 … 7 steps, so its extreme weight is put on the side with one step more (as llama.cpp's Q4_0 does).
 * With least-error, some smaller scales of either sign are tried, and each is then solved for: with the integers q
 * given, the scale of least squared error is (w·q) / (q·q).
 */
export function quantizeInt4(
  matrix: Float32Array,
  rows: number,
  columns: number,
  block: number,
  rounding: Int4Rounding = 'least-error',
): BlockedMatrix {
  const numBlocks = Math.ceil(columns / block);
  const values = new Uint8Array((rows * numBlocks * block) / 2).fill(ZERO * 0x11);
  const scales = new Float32Array(rows * numBlocks);
  for (let row = 0; row < rows; row++)
    for (let index = 0; index < numBlocks; index++) {
      const source = blockOf(matrix, row, columns, index, block);
      const at = row * numBlocks + index;
      const scale = (scales[at] = rounding === 'plain' ? plainScale(source) : leastErrorScale(source));
      writeBlock(source, scale, values, (at * block) / 2);
    }
  return { values, scales, numBlocks };
}

function plainScale(source: Float32Array): number {
  let extreme = 0;
  for (let i = 0; i < source.length; i++) if (Math.abs(source[i]!) > Math.abs(extreme)) extreme = source[i]!;
  return extreme / LOWEST || 1;
}

function leastErrorScale(source: Float32Array): number {
  const widest = plainScale(source);
  let best = { scale: widest, gain: -Infinity };
  for (const share of SHRINK)
    for (const scale of [widest * share, -widest * share]) {
      const fitted = fit(source, scale);
      if (fitted.gain > best.gain) best = fitted;
    }
  return best.scale;
}

/**
 * Rounds with one scale and solves for the scale that fits the integers best. What the squared error then lacks of the
 * block's own square sum is (w·q)² / (q·q): the gain, which needs no second pass.
 */
function fit(source: Float32Array, scale: number): { scale: number; gain: number } {
  const inverse = 1 / scale;
  let [along, square] = [0, 0];
  for (let i = 0; i < source.length; i++) {
    const q = step(source[i]! * inverse);
    along += source[i]! * q;
    square += q * q;
  }
  return square === 0 ? { scale, gain: 0 } : { scale: along / square, gain: (along * along) / square };
}

function writeBlock(source: Float32Array, scale: number, values: Uint8Array, at: number) {
  const inverse = 1 / scale;
  for (let i = 0; i < source.length; i++) {
    const nibble = step(source[i]! * inverse) + ZERO;
    const byte = at + (i >> 1);
    values[byte] = i & 1 ? (values[byte]! & 0x0f) | (nibble << 4) : (values[byte]! & 0xf0) | nibble;
  }
}

const step = (value: number) => Math.max(LOWEST, Math.min(HIGHEST, Math.round(value)));
