import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, planStep, type RunningView } from './scheduler.js';

const running = (id: string, pending: number, decoding = false): RunningView => ({ id, user: 'u', pending, decoding });

describe('planStep', () => {
  it('decodes everyone first and reads prompts with what is left of the budget', () => {
    const views = [running('a', 1, true), running('b', 100), running('c', 1, true), running('d', 100)];
    expect(planStep(views, 130)).toEqual({
      decode: ['a', 'c'],
      prefill: [
        { id: 'b', count: 100 },
        { id: 'd', count: 28 },
      ],
    });
  });

  it('never plans more tokens than the budget nor more than a prompt has, and always makes progress', () => {
    const view = fc.record({ pending: fc.integer({ min: 1, max: 500 }), decoding: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(view, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 13, max: 300 }),
        (list, budget) => {
          const views = list.map(({ pending, decoding }, i) => running(`${i}`, decoding ? 1 : pending, decoding));
          const { decode, prefill } = planStep(views, budget);
          const read = prefill.reduce((sum, { count }) => sum + count, 0);
          expect(decode.length + read).toBeLessThanOrEqual(budget);
          expect(decode.length + read).toBeGreaterThan(0);
          expect(decode.length).toBe(views.filter(({ decoding }) => decoding).length);
          for (const { id, count } of prefill) {
            expect(count).toBeGreaterThan(0);
            expect(count).toBeLessThanOrEqual(views[Number(id)]!.pending);
          }
        },
      ),
    );
  });
});

describe('admit', () => {
  const waiting = (list: string) => list.split(' ').map((entry) => ({ id: entry, user: entry[0]! }));

  it('keeps the order of arrival of one user', () => {
    expect(admit(waiting('a1 a2 a3'), [], 2)).toEqual(['a1', 'a2']);
  });

  it('lets users take turns, however many requests one of them sent', () => {
    expect(admit(waiting('a1 a2 a3 a4 b1 c1 b2'), [], 5)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2']);
  });

  it('counts what already runs', () => {
    expect(admit(waiting('a1 b1 b2 b3'), ['a', 'a'], 3)).toEqual(['b1', 'b2', 'a1']);
  });

  it('admits nobody without a slot', () => {
    expect(admit(waiting('a1'), [], 0)).toEqual([]);
  });
});
