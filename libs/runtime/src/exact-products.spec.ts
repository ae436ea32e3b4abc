import { describe, expect, it } from 'vitest';
import { type RoundedProduct, sumsExactly } from './exact-products.js';

const INNER = 64;
const LARGEST = 255;
const MOST_16 = 32_767;

/** The product as processors compute it: exact, or with pairs of terms cut off at 16 bits (VPMADDUBSW). */
const product =
  (cut: (pair: number) => number): RoundedProduct =>
  async (x, weights) => {
    const columns = weights.length / INNER;
    return Float32Array.from({ length: (x.length / INNER) * columns }, (_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      const term = (i: number) => LARGEST * x[row * INNER + i]! * weights[i * columns + column]!;
      let [sum, weightSum] = [0, 0];
      for (let i = 0; i < INNER; i += 2) sum += cut(term(i) + term(i + 1));
      for (let i = 0; i < INNER; i++) weightSum += weights[i * columns + column]!;
      return (sum - 128 * weightSum) / 127;
    });
  };

describe('products of 8-bit integers', () => {
  it('are found exact where no sum is cut off', async () => {
    expect(await sumsExactly(product((pair) => pair))).toBe(true);
  });

  it('are found wrong where pairs are cut off at 16 bits', async () => {
    expect(await sumsExactly(product((pair) => Math.min(pair, MOST_16)))).toBe(false);
  });

  it('are found wrong where only several rows at once are', async () => {
    const [exact, cut] = [product((pair) => pair), product((pair) => Math.min(pair, MOST_16))];
    const alone: RoundedProduct = (x, weights) => (x.length === INNER ? exact : cut)(x, weights);
    expect(await sumsExactly(alone)).toBe(false);
  });
});
