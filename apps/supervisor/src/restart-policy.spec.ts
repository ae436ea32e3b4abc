import { expect, it } from 'vitest';
import { restartDelay } from './restart-policy.js';

it('waits twice as long after each early end, at most half a minute, and starts over after a healthy minute', () => {
  const delays: number[] = [];
  let earlyEnds = 0;
  for (let end = 0; end < 8; end++) {
    const next = restartDelay({ ranMs: 200, earlyEnds });
    delays.push(next.delayMs);
    earlyEnds = next.earlyEnds;
  }
  expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(restartDelay({ ranMs: 60_000, earlyEnds })).toEqual({ delayMs: 500, earlyEnds: 1 });
});
