const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** A process that has run this long was healthy; what ends it then is a new trouble. */
const HEALTHY_AFTER_MS = 60_000;

/** What a child did until it ended. */
export interface Life {
  ranMs: number;
  /** Ends in a row before this one that came soon after the start. */
  earlyEnds: number;
}

/** How long to wait before starting it again: 0.5 s, 1 s, 2 s … 30 s while it keeps ending early. */
export function restartDelay(life: Life): { delayMs: number; earlyEnds: number } {
  const earlyEnds = life.ranMs >= HEALTHY_AFTER_MS ? 0 : life.earlyEnds;
  return { delayMs: Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** earlyEnds), earlyEnds: earlyEnds + 1 };
}
