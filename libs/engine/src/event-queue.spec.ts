import { expect, it } from 'vitest';
import { EventQueue } from './event-queue.js';
import type { EngineEvent } from './types.js';

const token = (id: number): EngineEvent => ({ type: 'token', token: id });
const finished: EngineEvent = {
  type: 'finished',
  reason: 'length',
  promptTokens: 1,
  cachedTokens: 0,
  completionTokens: 2,
  timings: { queuedMs: 0, prefillMs: 0, decodeMs: 0 },
};

it('hands over events in order, those pushed before and while reading, and ends after finished', async () => {
  let left = 0;
  const queue = new EventQueue(() => (left += 1));
  queue.push(token(1));
  setTimeout(() => {
    queue.push(token(2));
    queue.push(finished);
  }, 5);
  const read: EngineEvent[] = [];
  for await (const event of queue) read.push(event);
  expect(read).toEqual([token(1), token(2), finished]);
  expect(left).toBe(0);
});

it('tells when the reader leaves early', async () => {
  let left = 0;
  const queue = new EventQueue(() => (left += 1));
  queue.push(token(1));
  for await (const event of queue) if (event.type === 'token') break;
  expect(left).toBe(1);
});

it('lets a reader leave who waits for the next event', async () => {
  let left = 0;
  const queue = new EventQueue(() => (left += 1));
  const next = queue.next();
  await queue.return();
  expect(await next).toEqual({ done: true, value: undefined });
  queue.push(token(1));
  expect(await queue.next()).toEqual({ done: true, value: undefined });
  expect(left).toBe(1);
});

it('serves readers in turn who wait at the same time, and lets those go whom nothing is left for', async () => {
  const queue = new EventQueue(() => {});
  const results = Promise.all([queue.next(), queue.next(), queue.next()]);
  queue.push(token(1));
  queue.push(finished);
  const end = { done: true, value: undefined };
  expect(await results).toEqual([{ done: false, value: token(1) }, { done: false, value: finished }, end]);
});
