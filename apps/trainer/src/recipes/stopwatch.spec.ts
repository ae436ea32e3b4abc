import { expect, it } from 'vitest';
import { Stopwatch } from './stopwatch.js';

it('adds up what each part takes, also one that fails', async () => {
  let nowMs = 0;
  const watch = new Stopwatch({ monotonicMs: () => nowMs });
  const takes = (ms: number) => async () => {
    nowMs += ms;
    return ms;
  };
  expect(await watch.time('sampling', takes(1500))).toBe(1500);
  await watch.time('scoring', takes(250));
  await watch.time('sampling', takes(500));
  const failing = watch.time('scoring', async () => {
    nowMs += 1000;
    throw new Error('no memory is left');
  });
  await expect(failing).rejects.toThrow('no memory is left');
  expect(watch.seconds).toEqual({ sampling: 2, scoring: 1.25 });
});
