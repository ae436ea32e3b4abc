import type { Clock } from '@attune/platform';

/** How long the parts of some work take, in seconds by name. */
export class Stopwatch {
  readonly seconds: Record<string, number> = {};

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  /** Runs a part, and adds what it took to what it has taken so far. */
  async time<T>(part: string, run: () => Promise<T>): Promise<T> {
    const startedMs = this.clock.monotonicMs();
    try {
      return await run();
    } finally {
      this.seconds[part] = (this.seconds[part] ?? 0) + (this.clock.monotonicMs() - startedMs) / 1000;
    }
  }
}
