import { describe, expect, it } from 'vitest';
import { explainedVariance, generalisedAdvantages, shapedRewards, whiten } from '../index.js';

describe('generalised advantages', () => {
  it('are the discounted return less the value when λ is 1', () => {
    const { advantages, returns } = generalisedAdvantages([0, 0, 8], [1, 2, 3], { gamma: 0.5, lambda: 1 });
    expect([...returns]).toEqual([2, 4, 8]);
    expect([...advantages]).toEqual([1, 2, 5]);
  });

  it('are the one-step error when λ is 0', () => {
    const { advantages } = generalisedAdvantages([1, 1], [2, 4], { gamma: 1, lambda: 0 });
    expect([...advantages]).toEqual([3, -3]);
  });
});

describe('shaped rewards', () => {
  it('price every token’s KL and put the score on the last', () => {
    const rewards = shapedRewards(2, [-1, -2], [-1.5, -1], 0.5);
    expect([...rewards]).toEqual([-0.25, 2.5]);
    expect(shapedRewards(2, [], [], 0.5)).toHaveLength(0);
  });
});

describe('whitening', () => {
  it('gives several arrays mean 0 and deviation 1 together, or keeps their mean', () => {
    const arrays = [Float32Array.of(1, 2), Float32Array.of(3, 6)];
    const all = whiten(arrays).flatMap((array) => [...array]);
    expect(all.reduce((a, b) => a + b)).toBeCloseTo(0, 5);
    expect(all.reduce((a, b) => a + b * b, 0) / 3).toBeCloseTo(1, 5);
    const kept = whiten(arrays, { shift: false }).flatMap((array) => [...array]);
    expect(kept.reduce((a, b) => a + b) / 4).toBeCloseTo(3, 5);
  });
});

describe('explained variance', () => {
  it('is 1 for a perfect critic and 0 for a constant one', () => {
    const returns = [Float32Array.of(1, 2, 4)];
    expect(explainedVariance(returns, returns)).toBe(1);
    expect(explainedVariance([Float32Array.of(7, 7, 7)], returns)).toBeCloseTo(0, 12);
    expect(explainedVariance(returns, [Float32Array.of(2, 2, 2)])).toBe(0);
  });
});
