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

/**
 * What `work` gives, or at once the signal's reason when it is aborted: for work that hears no signal and may be left to
 * end by itself.
 */
export async function orStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true, signal: settled.signal }),
  );
  try {
    return await Promise.race([work, stopped]);
  } finally {
    settled.abort();
  }
}
