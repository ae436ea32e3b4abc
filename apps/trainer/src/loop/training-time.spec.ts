import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { timed } from './training-time.js';

describe('what training takes', () => {
  it('is little processor time where it waits, and all of the time where it computes', async () => {
    const { time: waiting } = await timed(() => sleep(200));
    expect(waiting.train_seconds).toBeGreaterThan(0.19);
    expect(waiting.train_cpu_seconds).toBeLessThan(0.1);
    const { result, time: computing } = await timed(async () => computeFor(100_000));
    expect(computing.train_cpu_seconds).toBeGreaterThan(0.09);
    expect(result).toBeGreaterThan(0);
  });
});

/** Keeps a core busy until so much processor time is used. */
function computeFor(microseconds: number): number {
  const before = process.cpuUsage();
  let rounds = 0;
  while (process.cpuUsage(before).user < microseconds) rounds++;
  return rounds;
}
