import { expect, it } from 'vitest';
import { fuseRankings } from './rank-fusion.js';

const names = (...rankings: { found: string[]; weight: number }[]) => fuseRankings(rankings).map(({ name }) => name);

it('gives 1 to what is first everywhere, and the sum of its shares to everything else', () => {
  const [first, second, third] = fuseRankings([
    { found: ['a', 'b'], weight: 1 },
    { found: ['a', 'c'], weight: 3 },
  ]);
  expect(first).toEqual({ name: 'a', score: 1 });
  expect(second.name).toBe('c');
  expect(second.score).toBeCloseTo((0.75 * 61) / 62, 12);
  expect(third.score).toBeCloseTo((0.25 * 61) / 62, 12);
});

it('keeps the order of one ranking where the other has no weight, and lets agreement beat one first place', () => {
  expect(names({ found: ['a', 'b', 'c'], weight: 1 }, { found: ['c', 'x'], weight: 0 })).toEqual(['a', 'b', 'c']);
  expect(names({ found: ['a', 'b'], weight: 1 }, { found: ['c', 'b'], weight: 1 })[0]).toBe('b');
});

it('finds nothing where nothing was found', () => {
  expect(fuseRankings([{ found: [], weight: 1 }])).toEqual([]);
});
