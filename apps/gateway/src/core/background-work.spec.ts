import { createLogger } from '@attune/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BackgroundWork } from './background-work.js';

const logger = createLogger('test', 'silent');

it('works once more when it is woken while it works, and never twice at a time', async () => {
  let atOnce = 0;
  let most = 0;
  let times = 0;
  const work = new BackgroundWork({
    name: 'test',
    everyMs: 60_000,
    logger,
    work: async () => {
      most = Math.max(most, ++atOnce);
      await sleep(10);
      atOnce--;
      times++;
    },
  });
  work.start();
  work.wake();
  work.wake();
  await sleep(60);
  expect({ most, times }).toEqual({ most: 1, times: 2 });
  await work.stop();
  work.wake();
  await sleep(20);
  expect(times).toBe(2);
});

it('goes on after an error, and stop waits for the work under way', async () => {
  let times = 0;
  const work = new BackgroundWork({
    name: 'test',
    everyMs: 5,
    logger,
    work: async () => {
      if (++times === 1) throw new Error('away');
      await sleep(30);
    },
  });
  work.start();
  await sleep(20);
  const before = performance.now();
  await work.stop();
  expect(times).toBe(2);
  expect(performance.now() - before).toBeGreaterThan(5);
});
