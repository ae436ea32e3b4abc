import { expect, it } from 'vitest';
import { retrySeconds } from './webhook-sender.js';

it('waits twice as long each time, up to six hours, and gives up after three days', () => {
  const waits = Array.from({ length: 24 }, (_, attempt) => retrySeconds(attempt + 1));
  expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
  expect(waits.at(-1)).toBeNull();
  const total = waits.slice(0, -1).reduce<number>((sum, wait) => sum + wait!, 0);
  expect(Math.max(...waits.slice(0, -1).map(Number))).toBe(6 * 3600);
  expect(total / 86_400).toBeGreaterThan(2.5);
  expect(total / 86_400).toBeLessThan(3.5);
});
