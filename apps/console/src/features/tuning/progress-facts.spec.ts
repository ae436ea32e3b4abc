import { describe, expect, it } from 'vitest';
import { progressFacts, progressPercent, progressStep } from './progress-facts.js';

const progress = { stage: 'sft', step: 3, num_steps: 8, eta_seconds: null };

describe('a job’s progress', () => {
  it('says where it is', () => {
    expect(progressStep(progress)).toBe('SFT: step 3 of 8');
    expect(progressPercent(progress)).toBe(37.5);
    expect(progressPercent({ ...progress, step: 0, num_steps: 0 })).toBe(0);
  });
  it('says how it goes, as far as that is known', () => {
    expect(progressFacts(progress)).toEqual([]);
    expect(progressFacts({ ...progress, loss: 0.12345, tokens_per_second: 812.4, eta_seconds: 61 })).toEqual([
      'loss 0.123',
      '812 tokens/s',
      expect.stringMatching(/^about .+ left$/),
    ]);
  });
});
