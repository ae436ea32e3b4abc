import { expect, it } from 'vitest';
import { waitingRows } from './eval-row.js';

it('goes on with the places of a file that have no result', () => {
  const rows = ['a', 'b', 'c'].map((name) => ({ item: { id: name } }));
  const waiting = waitingRows(rows, [{ ordinal: 1, key: 'a' }]);
  expect(waiting.map(({ row, ordinal }) => [row.item.id, ordinal])).toEqual([
    ['a', 0],
    ['c', 2],
  ]);
});

it('works on no stored answer twice and leaves none out when others were deleted meanwhile', () => {
  const rows = ['b', 'c', 'd', 'e'].map((key) => ({ key, item: { id: key } }));
  const done = [
    { ordinal: 0, key: 'a' },
    { ordinal: 2, key: 'c' },
  ];
  expect(waitingRows(rows, done).map(({ row, ordinal }) => [row.key, ordinal])).toEqual([
    ['b', 1],
    ['d', 3],
    ['e', 4],
  ]);
});
