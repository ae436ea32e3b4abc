import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turns } from './turns.js';

it('lets so many work at a time, first come first served, and goes on after an error', async () => {
  const turns = new Turns(2);
  let atOnce = 0;
  let most = 0;
  const begun: number[] = [];
  const ends = await Promise.allSettled(
    Array.from({ length: 9 }, (_, i) =>
      turns.take(async () => {
        begun.push(i);
        most = Math.max(most, ++atOnce);
        await sleep(2);
        atOnce--;
        if (i % 3 === 1) throw new Error('broken');
        return i;
      }),
    ),
  );
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  expect(await turns.take(async () => 'still')).toBe('still');
});
