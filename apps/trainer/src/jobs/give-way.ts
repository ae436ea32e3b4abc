import { setTimeout as sleep } from 'node:timers/promises';
import type { CompletionRepository } from '@attune/persistence';

export interface GiveWayOptions {
  /** Longest rest after a step, in lengths of that step; 0 = never rests. */
  readonly share: number;
  /** How long what was heard of the gateway holds. */
  readonly pollMs?: number;
}

const POLL_MS = 100;

/**
 * Rests between steps while people wait for answers. The sign both sides see are the rows of answers under way: the
 * gateway commits one before an answer's first token and closes it with the last. A database that does not answer holds
 * up nobody: then training goes on.
 */
export function giveWayToServing(
  completions: Pick<CompletionRepository, 'anyUnderWay'>,
  { share, pollMs = POLL_MS }: GiveWayOptions,
): (stepMs: number, signal: AbortSignal) => Promise<void> {
  return async (stepMs, signal) => {
    for (let leftMs = share * stepMs; leftMs > 0 && !signal.aborted; leftMs -= pollMs) {
      if (!(await completions.anyUnderWay().catch(() => false))) return;
      await sleep(Math.min(pollMs, leftMs), undefined, { signal }).catch(() => undefined);
    }
  };
}
