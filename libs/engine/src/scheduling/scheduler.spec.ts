import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planStep, type RunningView } from './scheduler.js';

const running = (id: string, pending: number, decoding = false, served = 0, priority = 0): RunningView => ({
  id,
  priority,
  served,
  pending,
  decoding,
});
/** Of a budget that holds decoding and reading together. */
const within = (budget: number) => (numDecoding: number) => budget - numDecoding;

describe('planStep', () => {
  it('decodes everyone first and reads prompts with what is left of the budget', () => {
    const views = [running('a', 1, true), running('b', 100), running('c', 1, true), running('d', 100)];
    expect(planStep(views, within(130))).toEqual({
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
          const { decode, prefill } = planStep(views, within(budget));
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

  it('reads the prompts of whoever had least service first, and higher priorities before all', () => {
    const views = [
      running('flood', 100, false, 900),
      running('trickle', 20, false, 30),
      running('urgent', 5, false, 999, 1),
    ];
    expect(planStep(views, within(60)).prefill).toEqual([
      { id: 'urgent', count: 5 },
      { id: 'trickle', count: 20 },
      { id: 'flood', count: 35 },
    ]);
  });
});
