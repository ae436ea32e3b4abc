import { RateLimitedError } from '@attune/platform';

/** How many of something each name has at once: answers or sockets of a key. */
export class ConcurrencyLimiter {
  private readonly running = new Map<string, number>();

  /** @param refused what is thrown at who has that many already */
  constructor(
    private readonly limit: number,
    private readonly refused: (count: number) => RateLimitedError = tooManyGenerations,
  ) {}

  /**
   * Takes a place for `name`; call the result to give it back (more than once does no harm).
   * @param ownLimit of this name, where it is lower than everybody's
   * @throws RateLimitedError when all places are taken.
   */
  acquire(name: string, ownLimit: number | null = null): () => void {
    const count = this.running.get(name) ?? 0;
    if (count >= Math.min(this.limit, ownLimit ?? Infinity)) throw this.refused(count);
    this.running.set(name, count + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = this.running.get(name)! - 1;
      if (left === 0) this.running.delete(name);
      else this.running.set(name, left);
    };
  }
}

const tooManyGenerations = (count: number) =>
  new RateLimitedError(
    `This API key already has ${count} generations running, the most it may (MAX_CONCURRENT_PER_KEY, or its own quota); wait for one to end.`,
    { code: 'concurrency_limit_exceeded', retryAfterSeconds: 1 },
  );
