import { expect, it } from 'vitest';
import { nearestOf, type VectorRows } from './nearest.js';

const WIDTH = 8;

it('finds what sorting all of them would, however they come', async () => {
  // A fixed sequence that looks random: Lehmer, 16807 mod 2^31 - 1.
  let state = 7;
  const random = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5;
  const values = Float32Array.from({ length: 500 * WIDTH }, random);
  const asked = Float32Array.from({ length: WIDTH }, random);
  const similarity = (key: number) => asked.reduce((sum, value, i) => sum + value * values[key * WIDTH + i], 0);
  const expected = Array.from({ length: 500 }, (_, key) => key).toSorted((a, b) => similarity(b) - similarity(a));
  for (const [size, limit] of [
    [500, 10],
    [7, 3],
    [100, 600],
  ]) {
    const groups = async function* (): AsyncGenerator<VectorRows<number>> {
      for (let start = 0; start < 500; start += size) {
        const part = values.subarray(start * WIDTH, (start + size) * WIDTH);
        yield { values: part, width: WIDTH, keyOf: (row) => start + row };
      }
    };
    const found = await nearestOf(asked, groups(), limit);
    expect(found.map(({ key }) => key)).toEqual(expected.slice(0, limit));
    expect(found[0].similarity).toBeCloseTo(similarity(expected[0]), 5);
  }
});

it('passes over vectors of another length', async () => {
  const groups = async function* (): AsyncGenerator<VectorRows<string>> {
    yield { values: Float32Array.of(9, 9, 9), width: 3, keyOf: () => 'other model' };
    yield { values: Float32Array.of(0, -1, 0, 2), width: 2, keyOf: (row) => `row ${row}` };
  };
  expect(await nearestOf(Float32Array.of(0, 1), groups(), 5)).toEqual([
    { key: 'row 1', similarity: 2 },
    { key: 'row 0', similarity: -1 },
  ]);
});
