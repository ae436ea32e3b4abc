import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseSlot, longestCached, type SlotContent } from './prefix-cache.js';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const idle = (tokens: number[], lastUsed = 1, weights: string | null = 'w'): SlotContent => ({
  tokens,
  length: tokens.length,
  weights,
  busy: false,
  lastUsed,
  credit: tokens.length,
});
const busy = (tokens: number[]): SlotContent => ({ ...idle(tokens), busy: true, credit: 0 });

describe('chooseSlot', () => {
  it('finds no slot when all are busy', () => {
    expect(chooseSlot([busy([1]), busy([2])], [1, 2], 'w')).toBeNull();
  });

  it('takes the longest idle slot when nothing matches', () => {
    const slots = [idle([9], 5), idle([8], 2), idle([7], 3)];
    expect(chooseSlot(slots, [1, 2, 3], 'w')).toMatchObject({ slot: 1, cached: 0, copyFrom: null });
  });

  it('goes on in the slot that holds the conversation so far', () => {
    const slots = [idle([], 1), idle(range(0, 50), 9)];
    expect(chooseSlot(slots, range(0, 60), 'w')).toMatchObject({ slot: 1, cached: 50, copyFrom: null });
  });

  it('copies a shared beginning out of a longer conversation instead of destroying it', () => {
    const slots = [idle([], 1), idle(range(0, 90), 9)];
    const prompt = [...range(0, 40), 700, 701];
    expect(chooseSlot(slots, prompt, 'w')).toMatchObject({ slot: 0, cached: 40, copyFrom: 1 });
  });

  it('copies a shared beginning from a sequence that still runs', () => {
    const slots = [busy(range(0, 90)), idle([], 1)];
    expect(chooseSlot(slots, [...range(0, 40), 700], 'w')).toMatchObject({ slot: 1, cached: 40, copyFrom: 0 });
  });

  it('does not copy a few tokens', () => {
    const slots = [busy(range(0, 90)), idle([], 1)];
    expect(chooseSlot(slots, [...range(0, 10), 700], 'w')).toMatchObject({ slot: 1, cached: 0, copyFrom: null });
  });

  it('gives a short prompt the slot of another short one, not that of a long conversation', () => {
    const slots = [idle(range(0, 500), 1), idle(range(600, 640), 2)];
    expect(chooseSlot(slots, [7, 7, 7], 'w')).toEqual({ slot: 1, cached: 0, copyFrom: null, lost: 40 });
  });

  it('lets a long conversation go when enough was evicted since it was used', () => {
    const slots = [{ ...idle(range(0, 500), 1), credit: 30 }, idle(range(600, 640), 2)];
    expect(chooseSlot(slots, [7, 7, 7], 'w')).toMatchObject({ slot: 0, lost: 30 });
  });

  it('goes on in place rather than evict another conversation for a copy', () => {
    const slots = [idle(range(0, 60), 1), idle(range(1000, 1400), 2)];
    expect(chooseSlot(slots, [...range(0, 50), 9, 9], 'w')).toEqual({ slot: 0, cached: 50, copyFrom: null, lost: 10 });
  });

  it('looks only at what is computed already of a running sequence', () => {
    const slots = [{ ...busy(range(0, 90)), length: 30 }, idle([], 1)];
    expect(chooseSlot(slots, range(0, 60), 'w')).toMatchObject({ slot: 1, cached: 30, copyFrom: 0 });
    expect(longestCached(slots, range(0, 60), 'w')).toBe(30);
    expect(longestCached(slots, range(0, 60), 'other')).toBe(0);
  });

  it('never gives away a busy slot, reports no more than is there, and copies only what it says', () => {
    const content = fc
      .record({
        tokens: fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 60 }),
        isBusy: fc.boolean(),
        lastUsed: fc.nat(9),
        weights: fc.constantFrom('w', 'v', null),
      })
      .map(({ tokens, isBusy, lastUsed, weights }) => ({ ...idle(tokens, lastUsed, weights), busy: isBusy }));
    const prompts = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 6 }), prompts, (slots, prompt) => {
        const choice = chooseSlot(slots, prompt, 'w');
        expect(choice === null).toBe(slots.every(({ busy: isBusy }) => isBusy));
        if (!choice) return;
        expect(slots[choice.slot]!.busy).toBe(false);
        expect(choice.cached).toBeLessThan(prompt.length);
        if (choice.cached === 0) return;
        const source = slots[choice.copyFrom ?? choice.slot]!;
        expect(source.weights).toBe('w');
        expect(source.tokens.slice(0, choice.cached)).toEqual(prompt.slice(0, choice.cached));
      }),
    );
  });

  it('always leaves the last prompt token to compute', () => {
    expect(chooseSlot([idle(range(0, 50))], range(0, 50), 'w')).toMatchObject({ slot: 0, cached: 49, copyFrom: null });
  });

  it('never uses what other weights computed', () => {
    const slots = [idle(range(0, 50), 1, 'other'), idle(range(0, 50), 2, null)];
    expect(chooseSlot(slots, range(0, 60), 'w')).toMatchObject({ slot: 0, cached: 0, copyFrom: null });
  });
});
