import { describe, expect, it } from 'vitest';
import { constant, cosine, warmupStableDecay } from '../index.js';

describe('learning rate schedules', () => {
  it('rise linearly to the peak during the warm-up', () => {
    for (const schedule of [
      constant({ peak: 1, warmupSteps: 4 }),
      cosine({ peak: 1, warmupSteps: 4, totalSteps: 20 }),
      warmupStableDecay({ peak: 1, warmupSteps: 4, totalSteps: 20, decaySteps: 5 }),
    ])
      expect([0, 1, 2, 3].map(schedule)).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it('end where they were told to, and stay there', () => {
    const falling = cosine({ peak: 2, warmupSteps: 0, totalSteps: 10, finalFraction: 0.1 });
    expect(falling(10)).toBeCloseTo(0.2, 12);
    expect(falling(99)).toBeCloseTo(0.2, 12);
    expect(falling(5)).toBeCloseTo(1.1, 12);
    const stable = warmupStableDecay({ peak: 2, warmupSteps: 0, totalSteps: 10, decaySteps: 4 });
    expect([5, 6].map(stable)).toEqual([2, 2]);
    expect(stable(7)).toBeCloseTo(1, 12);
    expect(stable(10)).toBe(0);
    expect(constant({ peak: 2, warmupSteps: 0 })(1000)).toBe(2);
  });
});
