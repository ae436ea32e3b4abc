import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairShares } from './fair-shares.js';

describe('fair shares', () => {
  it('count answers twice as much as prompts', () => {
    const shares = new FairShares();
    shares.chargePrompt('a', 10);
    shares.chargeAnswer('a', 3);
    expect(shares.of('a')).toBe(16);
    expect(shares.of('b')).toBe(0);
  });

  it('do not let a pause be saved up: who comes back starts at the least of the active', () => {
    const shares = new FairShares();
    for (const user of ['a', 'b']) shares.arrive(user);
    shares.chargePrompt('a', 500);
    shares.chargePrompt('b', 300);
    shares.arrive('late');
    expect(shares.of('late')).toBe(300);
  });

  it('do not forgive a debt for a pause', () => {
    const shares = new FairShares();
    for (const user of ['a', 'b']) shares.arrive(user);
    shares.chargePrompt('a', 500);
    shares.leave('a');
    shares.arrive('a');
    expect(shares.of('a')).toBe(500);
  });

  it('serve two backlogged users alike, however long the requests of each are', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(lengths, (requests) => {
        const shares = new FairShares();
        for (const user of ['short', 'long']) shares.arrive(user);
        for (const length of requests) {
          const user = shares.of('short') <= shares.of('long') ? 'short' : 'long';
          shares.chargePrompt(user, user === 'short' ? 1 + (length % 20) : length);
        }
        expect(Math.abs(shares.of('short') - shares.of('long'))).toBeLessThanOrEqual(400); // one request
      }),
      { numRuns: 20 },
    );
  });

  it('forget users who are gone when there are very many', () => {
    const shares = new FairShares();
    for (let i = 0; i < 25_000; i++) {
      shares.arrive(`u${i}`);
      shares.chargePrompt(`u${i}`, 1);
      shares.leave(`u${i}`);
    }
    expect(shares.of('u0')).toBe(0);
    expect(shares.of('u24999')).toBe(1);
  });
});
