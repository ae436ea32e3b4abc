import { describe, expect, it } from 'vitest';
import { batchItems, numSteps } from './data-order.js';

describe('data order', () => {
  it('shows every item once an epoch, also when batches straddle epochs', () => {
    const drawn = Array.from({ length: 7 }, (_, step) => batchItems(1, 10, 4, step)).flat();
    for (const epoch of [drawn.slice(0, 10), drawn.slice(10, 20)])
      expect(epoch.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(drawn.slice(0, 10)).not.toEqual(drawn.slice(10, 20));
  });
  it('hangs on seed and step alone', () => {
    expect(batchItems(1, 10, 4, 5)).toEqual(batchItems(1, 10, 4, 5));
    expect(batchItems(1, 50, 16, 0)).not.toEqual(batchItems(2, 50, 16, 0));
  });
  it('fills a batch from fewer items than it has places', () => {
    expect(batchItems(1, 2, 6, 0).toSorted()).toEqual([0, 0, 0, 1, 1, 1]);
  });
  it('counts steps from epochs, up to a limit', () => {
    expect(numSteps(40, 8, 6, 400)).toBe(30);
    expect(numSteps(40, 8, 6, 20)).toBe(20);
    expect(numSteps(40, 8, 6, 0)).toBe(30);
    expect(numSteps(1, 8, 1, 0)).toBe(1);
  });
});
