import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BatchWindow, WINDOW_MS } from './batch-window.js';

const made = new Date('2026-01-01T00:00:00Z');
const windowAfter = (ms: number) =>
  new BatchWindow(made, { now: () => new Date(made.getTime() + ms), monotonicMs: () => ms });
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('is over a day after the batch was made, also while nothing happens', () => {
  const window = windowAfter(WINDOW_MS - 1_000);
  vi.advanceTimersByTime(999);
  expect(window.over.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(window.over.aborted).toBe(true);
});

it('is over at once for a batch that waited too long', () => {
  expect(windowAfter(WINDOW_MS).over.aborted).toBe(true);
});

it('leaves no timer', () => {
  const window = windowAfter(0);
  expect(vi.getTimerCount()).toBe(1);
  window.close();
  expect(vi.getTimerCount()).toBe(0);
});
