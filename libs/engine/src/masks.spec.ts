import { systemClock } from '@attune/platform';
import { expect, it } from 'vitest';
import { type Masked, Masks } from './masks.js';

/** An answer whose mask comes when it is told to; remembers how long it was waited for. */
function structured() {
  const waits: number[] = [];
  const answer = { ready: false, waits, matcher: { isReady: (ms: number) => (waits.push(ms), answer.ready) } };
  return answer;
}

const masks = () =>
  new Masks<Masked>(systemClock, (_, error) => {
    throw error;
  });

it('waits once for a late mask that others would wait for as well, and anew for the next', () => {
  const [plain, slow, all] = [{}, structured(), masks()];
  for (let step = 0; step < 3; step++) expect(all.able([plain, slow])).toEqual([plain]);
  expect(slow.waits).toEqual([expect.any(Number), 0, 0]);
  expect(slow.waits[0]).toBeGreaterThan(0);
  slow.ready = true;
  expect(all.able([plain, slow])).toEqual([plain, slow]);
  slow.ready = false;
  all.able([plain, slow]);
  expect(slow.waits.slice(3)).toEqual([0, expect.any(Number)]);
  expect(slow.waits[4]).toBeGreaterThan(0);
});

it('waits for the first where nobody else can move on', () => {
  const [slow, all] = [structured(), masks()];
  expect(all.able([slow])).toEqual([]);
  expect(all.able([slow])).toEqual([]);
  expect(slow.waits[3]).toBeGreaterThan(2);
});

it('hands over what a matcher throws', () => {
  const failed: unknown[] = [];
  const broken = {
    matcher: {
      isReady: () => {
        throw new Error('broken');
      },
    },
  };
  const all = new Masks<Masked>(systemClock, (answer) => failed.push(answer));
  const plain = {};
  expect(all.able([broken, plain])).toEqual([plain]);
  expect(failed).toEqual([broken]);
});
