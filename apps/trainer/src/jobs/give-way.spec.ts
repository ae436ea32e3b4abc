import { describe, expect, it } from 'vitest';
import { giveWayToServing } from './give-way.js';

const never = new AbortController().signal;
/** Answers are under way for so many questions; then no more. */
const busyFor = (times: number) => {
  let asked = 0;
  return { anyUnderWay: async () => asked++ < times, numAsked: () => asked };
};

describe('giving way to serving', () => {
  it('rests no longer than its share of the step, however long people are served', async () => {
    const gateway = busyFor(Infinity);
    await giveWayToServing(gateway, { share: 2, pollMs: 5 })(10, never);
    expect(gateway.numAsked()).toBe(4);
  });
  it('goes on as soon as nobody waits for an answer', async () => {
    const gateway = busyFor(1);
    await giveWayToServing(gateway, { share: 1000, pollMs: 1 })(60_000, never);
    expect(gateway.numAsked()).toBe(2);
  });
  it('asks nothing when it never rests', async () => {
    const gateway = busyFor(Infinity);
    await giveWayToServing(gateway, { share: 0 })(1000, never);
    expect(gateway.numAsked()).toBe(0);
  });
  it('is held up neither by a database that is away nor after the job was stopped', async () => {
    const away = { anyUnderWay: () => Promise.reject(new Error('away')) };
    await giveWayToServing(away, { share: 1000 })(60_000, never);
    const stopped = AbortSignal.abort();
    await giveWayToServing(busyFor(Infinity), { share: 1000 })(60_000, stopped);
  });
});
