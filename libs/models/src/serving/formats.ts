/** How the weights of a served model are kept in memory: what an operator chooses. */
export type WeightFormat = 'fp32' | 'int8' | 'int4';

/** How keys and values are kept. */
export type KvFormat = 'fp32' | 'int8';

/**
 * How one graph multiplies by its weights.
 * - fp32: plain products.
 * - int8, int4: a scale for every block of a row of weights (MatMulNBits); activations are rounded block by block too.
 * - dq8r: a scale for every output and, found anew in each run, for every row of activations; products of 8-bit integers
 *   are summed exactly, so a row's result does not depend on the rows beside it.
 */
export type LinearFormat = WeightFormat | 'dq8r';

/** Rows up to which reading half the bytes outweighs the faster products of dq8r. */
const MOST_ROWS_OF_INT4 = 3;

/**
 * The graph that runs `rows` rows (sequences times tokens each). Measured on AVX512-VNNI with AMX, billions of
 * operations a second for 1 / 2 / 4 / 8 / 64 rows of 896 by 9,728: int4 87 / 145 / 164 / 178 / 181, int8 blocks
 * 46 / 75 / 110 / 152 / 196, dq8r 45 / 88 / 184 / 296 / 887. So int8 weights are run as dq8r.
 * @param exactProducts the runtime's word on the processor: where it cuts sums of dq8r off (x64 without VNNI or AMX),
 *   blocks of 8 bits take its place, whose kernels do not overflow
 */
export function linearFormatFor(weights: WeightFormat, rows: number, exactProducts: boolean): LinearFormat {
  if (weights === 'fp32') return 'fp32';
  if (weights === 'int4' && rows <= MOST_ROWS_OF_INT4) return 'int4';
  return exactProducts ? 'dq8r' : 'int8';
}

/** Every graph that `linearFormatFor` may ask for. */
export const linearFormatsOf = (weights: WeightFormat, exactProducts: boolean): readonly LinearFormat[] => [
  ...new Set([1, MOST_ROWS_OF_INT4 + 1].map((rows) => linearFormatFor(weights, rows, exactProducts))),
];

const WIDEST_BLOCK = 128;
const NARROWEST_BLOCK = 32;
const MOST_PADDING = 1 / 8;

/** Weights per scale for rows of `columns`: as wide as pads the row by at most an eighth. */
export function blockSizeFor(columns: number): number {
  let block = WIDEST_BLOCK;
  while (block > NARROWEST_BLOCK && Math.ceil(columns / block) * block > columns * (1 + MOST_PADDING)) block /= 2;
  return block;
}
