import { describe, expect, it } from 'vitest';
import { shouldTrain, type TuningState } from './tuning-policy.js';

const state = (changes: Partial<TuningState> = {}): TuningState => ({
  mode: 'auto',
  jobUnfinished: false,
  newlyApproved: 0,
  totalApproved: 100,
  hoursSinceLastJob: 1,
  minRows: 8,
  threshold: 50,
  intervalHours: 24,
  ...changes,
});

describe('the tuning policy', () => {
  it('trains when enough new feedback is approved, not one piece earlier', () => {
    expect(shouldTrain(state({ newlyApproved: 50 }))).toEqual({ train: true, trigger: 'threshold' });
    expect(shouldTrain(state({ newlyApproved: 49 })).train).toBe(false);
  });

  it('trains on schedule only when something waits', () => {
    expect(shouldTrain(state({ newlyApproved: 1, hoursSinceLastJob: 24 }))).toEqual({
      train: true,
      trigger: 'schedule',
    });
    expect(shouldTrain(state({ newlyApproved: 0, hoursSinceLastJob: 99 })).train).toBe(false);
    expect(shouldTrain(state({ newlyApproved: 1, hoursSinceLastJob: 23.9 })).train).toBe(false);
    expect(shouldTrain(state({ newlyApproved: 1, hoursSinceLastJob: 9999, intervalHours: 0 })).train).toBe(false);
  });

  it('never starts a second job beside an unfinished one', () => {
    expect(shouldTrain(state({ newlyApproved: 500, jobUnfinished: true })).train).toBe(false);
  });

  it('waits until there is enough feedback for a job at all', () => {
    expect(shouldTrain(state({ newlyApproved: 7, totalApproved: 7, threshold: 1 })).train).toBe(false);
    expect(shouldTrain(state({ newlyApproved: 8, totalApproved: 8, threshold: 1 })).train).toBe(true);
  });

  it('leaves the decision to people unless TUNING is auto', () => {
    for (const mode of ['manual', 'off'] as const) {
      expect(shouldTrain(state({ mode, newlyApproved: 500 })).train).toBe(false);
    }
  });
});
