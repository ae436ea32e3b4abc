/**
 * Why a run ends without a result: a person cancelled or paused it, another worker holds it now, or this trainer stops
 * (the job stays as it is and goes on from its last save).
 */
export type StopReason = 'cancelled' | 'paused' | 'lost' | 'shutdown';

/** The reason a run's signal is aborted with. */
export class RunStopped extends Error {
  constructor(readonly reason: StopReason) {
    super(`the run was stopped: ${reason}`);
  }
}
