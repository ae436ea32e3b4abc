import type { Clock } from '@attune/platform';

/** The time a batch has, from when it was made. */
export const WINDOW_MS = 24 * 3_600_000;

/** Is over when the time of a batch is. */
export class BatchWindow {
  private readonly ending = new AbortController();
  private readonly timer?: NodeJS.Timeout;
  readonly over: AbortSignal = this.ending.signal;

  constructor(createdAt: Date, clock: Clock) {
    const left = createdAt.getTime() + WINDOW_MS - clock.now().getTime();
    if (left <= 0) this.ending.abort();
    else this.timer = setTimeout(() => this.ending.abort(), left).unref();
  }

  close(): void {
    clearTimeout(this.timer);
  }
}
