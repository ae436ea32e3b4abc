import type { Clock } from '@attune/platform';

interface Bucket {
  tokens: number;
  at: number;
}

/** What a name has left of this minute. */
export interface RequestsLeft {
  limit: number;
  remaining: number;
  /** Until all of them are there again. */
  resetSeconds: number;
}

const MOST_BUCKETS = 10_000;

/** A token bucket per name: `perMinute` requests in a minute, of which a burst may take all. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {}

  /** Takes one request; otherwise the seconds after which there is one again. */
  take(name: string): { allowed: true } | { allowed: false; retryAfterSeconds: number } {
    const bucket = this.refilled(name);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return { allowed: true };
    }
    return { allowed: false, retryAfterSeconds: Math.ceil(((1 - bucket.tokens) * 60) / this.perMinute) };
  }

  /** Takes nothing. */
  left(name: string): RequestsLeft {
    const { tokens } = this.refilled(name);
    const resetSeconds = ((this.perMinute - tokens) * 60) / this.perMinute;
    return { limit: this.perMinute, remaining: Math.floor(tokens), resetSeconds };
  }

  private refilled(name: string): Bucket {
    const now = this.clock.monotonicMs();
    const known = this.buckets.get(name);
    const tokens = known
      ? Math.min(this.perMinute, known.tokens + ((now - known.at) * this.perMinute) / 60_000)
      : this.perMinute;
    const bucket = { tokens, at: now };
    // Re-inserted, so that the first entry is always the one unused longest.
    this.buckets.delete(name);
    this.buckets.set(name, bucket);
    if (this.buckets.size > MOST_BUCKETS) this.buckets.delete(this.buckets.keys().next().value!);
    return bucket;
  }
}
