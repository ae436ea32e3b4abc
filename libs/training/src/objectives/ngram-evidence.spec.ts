import { describe, expect, it } from 'vitest';
import { initialNgramWeights, longestNgram, ngramFeeds, ngramsOf } from './ngram-evidence.js';

const vocabSize = 50;

describe('runs of tokens', () => {
  it('are every token and every run of neighbours, as often as they come', () => {
    const runs = ngramsOf([3, 4, 3, 4], 2, vocabSize);
    expect(runs.slice(0, 4)).toEqual([3, 4, 3, 4]);
    expect(runs).toHaveLength(7);
    expect(runs[4]).toBe(runs[6]);
    expect(runs[4]).not.toBe(runs[5]);
  });
  it('find a place of their own length among the weights', () => {
    const weights = initialNgramWeights({ vocabSize }, 3);
    const size = weights.values().next().value!.data.length;
    const answer = Array.from({ length: 200 }, (_, i) => (i * 7) % vocabSize);
    const runs = ngramsOf(answer, 3, vocabSize);
    const [ones, twos, threes] = [runs.slice(0, 200), runs.slice(200, 399), runs.slice(399)];
    const bucket = (size - vocabSize) / 2;
    expect(ones.every((run) => run < vocabSize)).toBe(true);
    expect(twos.every((run) => run >= vocabSize && run < vocabSize + bucket)).toBe(true);
    expect(threes.every((run) => run >= vocabSize + bucket && run < size)).toBe(true);
    expect(longestNgram({ vocabSize }, weights)).toBe(3);
    expect(longestNgram({ vocabSize }, new Map())).toBe(0);
  });
  it('rarely share a bucket', () => {
    const pairs = Array.from({ length: 2000 }, (_, i) => ngramsOf([i % 45, (i * 31 + (i >> 3)) % 49], 2, vocabSize)[2]);
    const different = new Set(Array.from({ length: 2000 }, (_, i) => `${i % 45},${(i * 31 + (i >> 3)) % 49}`)).size;
    expect(new Set(pairs).size).toBeGreaterThan(different * 0.95);
  });
  it('are none in an answer shorter than they are', () => {
    expect(ngramsOf([5], 3, vocabSize)).toEqual([5]);
    expect(ngramsOf([], 3, vocabSize)).toEqual([]);
  });
  it('of an empty batch do not count', () => {
    const feeds = ngramFeeds('chosen', [[]], 3, vocabSize);
    expect([...(feeds['chosenNgramsFactors'] as { data: Float32Array }).data]).toEqual([0]);
  });
});
