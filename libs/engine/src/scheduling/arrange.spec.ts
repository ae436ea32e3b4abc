import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrange, decodeRuns, type PlacedSequence } from './arrange.js';

const place = (layout: string): PlacedSequence[] =>
  [...layout].flatMap((group, slot) => (group === '.' ? [] : [{ slot, group }]));

function applied(layout: string): string {
  const slots = [...layout];
  for (const [a, b] of arrange(place(layout))) [slots[a], slots[b]] = [slots[b]!, slots[a]!];
  return slots.join('');
}

describe('decodeRuns', () => {
  it('joins neighbours with the same weights', () => {
    expect(decodeRuns(place('aab.a'))).toEqual([
      { group: 'a', start: 0, count: 2 },
      { group: 'b', start: 2, count: 1 },
      { group: 'a', start: 4, count: 1 },
    ]);
  });
});

describe('arrange', () => {
  it('fills the hole a finished sequence leaves with one exchange', () => {
    expect(arrange(place('aa.aa'))).toEqual([[2, 4]]);
  });

  it('leaves a layout alone that is already one run per group', () => {
    for (const layout of ['', '..aaa', '.aa.bb', 'bbaa']) expect(arrange(place(layout))).toEqual([]);
  });

  it('puts every group into one run and loses no sequence, from any layout', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('.', 'a', 'b', 'c'), { maxLength: 16 }), (slots) => {
        const after = applied(slots.join(''));
        expect([...after].sort()).toEqual([...slots].sort());
        const groups = new Set(slots.filter((slot) => slot !== '.'));
        expect(decodeRuns(place(after)).length).toBe(groups.size);
      }),
    );
  });
});
