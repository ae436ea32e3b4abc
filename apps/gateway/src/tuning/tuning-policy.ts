/** What the decision to train rests on. */
export interface TuningState {
  mode: 'auto' | 'manual' | 'off';
  /** Whether a job is queued or running. */
  jobUnfinished: boolean;
  /** Approved pieces of feedback that give training rows: since the newest job that succeeded, and over all time. */
  newlyApproved: number;
  totalApproved: number;
  /** Since the newest job; where there never was one, since the gateway started. */
  hoursSinceLastJob: number;
  /** TUNING_MIN_ROWS, TUNING_THRESHOLD and TUNING_INTERVAL_HOURS (0: no schedule). */
  minRows: number;
  threshold: number;
  intervalHours: number;
}

export type TuningDecision = { train: true; trigger: 'threshold' | 'schedule' } | { train: false; reason: string };

/** Whether training should start now by itself. */
export function shouldTrain(state: TuningState): TuningDecision {
  if (state.mode !== 'auto') return wait(`TUNING is ${state.mode}`);
  if (state.jobUnfinished) return wait('a job is queued or running');
  if (state.totalApproved < state.minRows) {
    return wait(`${state.totalApproved} of at least ${state.minRows} pieces of feedback are approved`);
  }
  if (state.newlyApproved >= state.threshold) return { train: true, trigger: 'threshold' };
  const due = state.intervalHours > 0 && state.hoursSinceLastJob >= state.intervalHours;
  if (due && state.newlyApproved > 0) return { train: true, trigger: 'schedule' };
  return wait(`${state.newlyApproved} of ${state.threshold} new pieces of feedback are approved`);
}

const wait = (reason: string): TuningDecision => ({ train: false, reason });
