import { describe, expect, it } from 'vitest';
import { mixTasks, shareOut } from './mixture.js';

const rows = [...Array(80).keys()].map((i) => ({ i, task: i < 60 ? 'large' : i < 75 ? 'middle' : 'small' }));
const counts = (mixed: readonly { task: string }[]) =>
  ['large', 'middle', 'small'].map((task) => mixed.filter((row) => row.task === task).length);
const mix = (rules: Partial<Parameters<typeof mixTasks>[2]>) =>
  mixTasks(rows, ({ task }) => task, { capPerTask: 0, temperature: 1, maxRows: 0, seed: 3, ...rules });

describe('a mixture of tasks', () => {
  it('takes everything when nothing limits it, in the order it came', () => {
    expect(mix({})).toEqual(rows);
  });
  it('caps each task, with different rows for different seeds and the same for the same', () => {
    expect(counts(mix({ capPerTask: 10 }))).toEqual([10, 10, 5]);
    expect(mix({ capPerTask: 10 })).toEqual(mix({ capPerTask: 10 }));
    expect(mix({ capPerTask: 10 })).not.toEqual(mix({ capPerTask: 10, seed: 4 }));
  });
  it('shares in proportion at temperature 1, and ever more evenly above', () => {
    expect(counts(mix({ maxRows: 16 }))).toEqual([12, 3, 1]);
    expect(counts(mix({ maxRows: 15, temperature: 1e6 }))).toEqual([5, 5, 5]);
    const [large, , small] = counts(mix({ maxRows: 16, temperature: 2 }));
    expect(large).toBeLessThan(12);
    expect(small).toBeGreaterThan(1);
  });
  it('gives what a small task leaves over to the others, and never more than there is', () => {
    expect(counts(mix({ maxRows: 45, temperature: 1e6 }))).toEqual([25, 15, 5]);
    expect(counts(mix({ maxRows: 1000 }))).toEqual([60, 15, 5]);
  });
  it.each([1, 2, 7, 79])('gives exactly as many rows as asked for: %i', (maxRows) => {
    for (const temperature of [1, 2, 50])
      expect(shareOut([60, 15, 5], { temperature, maxRows }).reduce((a, b) => a + b, 0)).toBe(maxRows);
  });
});
