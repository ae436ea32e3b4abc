import { describe, expect, it } from 'vitest';
import { chooseSlot, type SlotContent } from './prefix-cache.js';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const idle = (tokens: number[], lastUsed = 1, weights: string | null = 'w'): SlotContent => ({
  tokens,
  weights,
  busy: false,
  lastUsed,
});
const busy = (tokens: number[]): SlotContent => ({ ...idle(tokens), busy: true });

describe('chooseSlot', () => {
  it('finds no slot when all are busy', () => {
    expect(chooseSlot([busy([1]), busy([2])], [1, 2], 'w')).toBeNull();
  });

  it('takes the longest idle slot when nothing matches', () => {
    const slots = [idle([9], 5), idle([8], 2), idle([7], 3)];
    expect(chooseSlot(slots, [1, 2, 3], 'w')).toEqual({ slot: 1, cached: 0, copyFrom: null });
  });

  it('goes on in the slot that holds the conversation so far', () => {
    const slots = [idle([], 1), idle(range(0, 50), 9)];
    expect(chooseSlot(slots, range(0, 60), 'w')).toEqual({ slot: 1, cached: 50, copyFrom: null });
  });

  it('copies a shared beginning out of a longer conversation instead of destroying it', () => {
    const slots = [idle([], 1), idle(range(0, 90), 9)];
    const prompt = [...range(0, 40), 700, 701];
    expect(chooseSlot(slots, prompt, 'w')).toEqual({ slot: 0, cached: 40, copyFrom: 1 });
  });

  it('copies a shared beginning from a sequence that still runs', () => {
    const slots = [busy(range(0, 90)), idle([], 1)];
    expect(chooseSlot(slots, [...range(0, 40), 700], 'w')).toEqual({ slot: 1, cached: 40, copyFrom: 0 });
  });

  it('does not copy a few tokens', () => {
    const slots = [busy(range(0, 90)), idle([], 1)];
    expect(chooseSlot(slots, [...range(0, 10), 700], 'w')).toEqual({ slot: 1, cached: 0, copyFrom: null });
  });

  it('always leaves the last prompt token to compute', () => {
    expect(chooseSlot([idle(range(0, 50))], range(0, 50), 'w')).toEqual({ slot: 0, cached: 49, copyFrom: null });
  });

  it('never uses what other weights computed', () => {
    const slots = [idle(range(0, 50), 1, 'other'), idle(range(0, 50), 2, null)];
    expect(chooseSlot(slots, range(0, 60), 'w')).toEqual({ slot: 0, cached: 0, copyFrom: null });
  });
});
