import { describe, expect, it } from 'vitest';
import { commonPrefix, worthWaitingFor } from './prompt-sharing.js';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const reading = (tokens: number[], computed = 0, weights = 'w') => ({ tokens, computed, weights });

describe('worthWaitingFor', () => {
  const prompt = range(0, 200);

  it('is the sequence that reads the same prompt, up to the token before the last', () => {
    const same = reading(prompt);
    expect(worthWaitingFor(prompt, 'w', 0, [reading(range(500, 700)), same])).toEqual({ sequence: same, until: 199 });
  });

  it('is a shared beginning as far as it goes', () => {
    const other = reading([...range(0, 100), ...range(900, 950)], 40);
    expect(worthWaitingFor(prompt, 'w', 0, [other])).toEqual({ sequence: other, until: 100 });
  });

  it('is nobody when too little is still to come, or it is cached already, or the weights differ', () => {
    expect(worthWaitingFor(prompt, 'w', 0, [reading(prompt, 180)])).toBeNull();
    expect(worthWaitingFor(prompt, 'w', 190, [reading(prompt)])).toBeNull();
    expect(worthWaitingFor(prompt, 'w', 0, [reading(prompt, 0, 'v')])).toBeNull();
    expect(worthWaitingFor(range(0, 20), 'w', 0, [reading(prompt)])).toBeNull();
  });
});

describe('commonPrefix', () => {
  it('ends where the lists part, end or may not go on', () => {
    expect(commonPrefix([1, 2, 3], [1, 2, 4], 9)).toBe(2);
    expect(commonPrefix([1, 2], [1, 2, 3], 9)).toBe(2);
    expect(commonPrefix([1, 2, 3], [1, 2, 3], 1)).toBe(1);
  });
});
