import { RateLimitedError } from '@attune/platform';

/** How many generations each key has running. */
export class ConcurrencyLimiter {
  private readonly running = new Map<string, number>();

  constructor(private readonly limit: number) {}

  /**
   * Takes a place for `name`; call the result to give it back (more than once does no harm).
   * @param ownLimit of this name, where it is lower than everybody's
   * @throws RateLimitedError when all places are taken.
   */
  acquire(name: string, ownLimit: number | null = null): () => void {
    const count = this.running.get(name) ?? 0;
    if (count >= Math.min(this.limit, ownLimit ?? Infinity)) {
      throw new RateLimitedError(
        `This API key already has ${count} generations running, the most it may (MAX_CONCURRENT_PER_KEY, or its own quota); wait for one to end.`,
        { code: 'concurrency_limit_exceeded', retryAfterSeconds: 1 },
      );
    }
    this.running.set(name, count + 1);
    let held = true;
    return () => {
      if (held) this.release(name);
      held = false;
    };
  }

  private release(name: string): void {
    const left = (this.running.get(name) ?? 1) - 1;
    if (left > 0) this.running.set(name, left);
    else this.running.delete(name);
  }
}
