import { RateLimitedError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import { RateLimiter } from './rate-limiter.js';

describe('the rate limit', () => {
  const setUp = (perMinute: number) => {
    const clock = { ms: 0, now: () => new Date(0), monotonicMs: () => clock.ms };
    return { clock, limiter: new RateLimiter(perMinute, clock) };
  };

  it('lets a burst through, then as many as the minute has, and says when the next one may come', () => {
    const { clock, limiter } = setUp(6);
    for (let count = 0; count < 6; count++) expect(limiter.take('a').allowed).toBe(true);
    expect(limiter.take('a')).toEqual({ allowed: false, retryAfterSeconds: 10 });
    clock.ms = 9_999;
    expect(limiter.take('a')).toEqual({ allowed: false, retryAfterSeconds: 1 });
    clock.ms = 10_000;
    expect(limiter.take('a').allowed).toBe(true);
  });

  it('tells what is left without taking any', () => {
    const { clock, limiter } = setUp(6);
    expect(limiter.left('a')).toEqual({ limit: 6, remaining: 6, resetSeconds: 0 });
    for (let count = 0; count < 4; count++) limiter.take('a');
    expect(limiter.left('a')).toEqual({ limit: 6, remaining: 2, resetSeconds: 40 });
    clock.ms = 15_000;
    expect(limiter.left('a')).toEqual({ limit: 6, remaining: 3, resetSeconds: 25 });
  });

  it('counts every name for itself', () => {
    const { limiter } = setUp(1);
    expect(limiter.take('a').allowed).toBe(true);
    expect(limiter.take('a').allowed).toBe(false);
    expect(limiter.take('b').allowed).toBe(true);
  });

  it('never saves up more than a minute’s worth', () => {
    const { clock, limiter } = setUp(2);
    limiter.take('a');
    clock.ms = 3_600_000;
    expect([1, 2, 3].map(() => limiter.take('a').allowed)).toEqual([true, true, false]);
  });
});

describe('the concurrency limit', () => {
  it('refuses when all places are taken, and gives a place back once', () => {
    const limiter = new ConcurrencyLimiter(2);
    const release = limiter.acquire('key');
    limiter.acquire('key');
    expect(() => limiter.acquire('key')).toThrow(RateLimitedError);
    limiter.acquire('other');
    release();
    release();
    limiter.acquire('key');
    expect(() => limiter.acquire('key')).toThrow('2 generations');
  });
});
