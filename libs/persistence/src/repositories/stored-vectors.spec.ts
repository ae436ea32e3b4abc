import { expect, it } from 'vitest';
import { inGroups } from './stored-vectors.js';

const file = (fileId: string, textBytes: number) => ({ storeId: 's', fileId, name: fileId, textBytes });
const grouped = (...sizes: number[]) =>
  inGroups(sizes.map((size, i) => file(`${i}`, size))).map((group) => group.map(({ fileId }) => fileId).join(''));

it('reads small files together and large ones alone, none twice and none left out', () => {
  expect(grouped(10, 10, 10)).toEqual(['012']);
  expect(grouped(10, 5_000_000, 10, 10)).toEqual(['0', '1', '23']);
  expect(grouped(600_000, 600_000, 400_000)).toEqual(['0', '12']);
  expect(grouped()).toEqual([]);
  expect(inGroups(Array.from({ length: 1_200 }, (_, i) => file(`${i}`, 1))).map((group) => group.length)).toEqual([
    500, 500, 200,
  ]);
});
