import { parameter, type ParameterSet } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { pairsForScale, rankingAccuracy, whyNotTrusted } from './reward-judgement.js';
import { thumbsOfBatch, trainedPart } from './reward-model.recipe.js';

describe('trust in a reward model', () => {
  it('is the share of held-out pairs it ranks as people did', () => {
    expect(
      rankingAccuracy([
        [2, 1],
        [0, 1],
        [3, 3],
        [5, 1],
      ]),
    ).toBe(0.625);
    expect(rankingAccuracy([])).toBeNull();
  });
  it('is refused below the floor, and where nothing was held out', () => {
    expect(whyNotTrusted(0.7, 0.65)).toBeNull();
    expect(whyNotTrusted(0.65, 0.65)).toBeNull();
    expect(whyNotTrusted(0.6, 0.65)).toContain('ranks 60 % of held-out pairs right; 65 % are asked for');
    expect(whyNotTrusted(null, 0)).toContain('no held-out preference');
  });
});

describe('a batch of the reward model', () => {
  it('gives thumbs their share, and never the place of the last ranking', () => {
    expect(thumbsOfBatch(16, 0.25)).toBe(4);
    expect(thumbsOfBatch(16, 0)).toBe(0);
    expect(thumbsOfBatch(4, 0.9)).toBe(3);
    expect(thumbsOfBatch(1, 0.9)).toBe(0);
  });
});

describe('what a reward model trains', () => {
  const parameters: ParameterSet = new Map(
    ['model.norm.weight', 'reward_head.weight', 'reward_head.ngrams'].map((name) => [name, parameter([1])]),
  );
  it('is its head and its runs of tokens alone over a frozen body', () => {
    const { trainable, standing } = trainedPart(parameters, 'frozen');
    expect([...trainable.keys()]).toEqual(['reward_head.weight', 'reward_head.ngrams']);
    expect([...standing.keys()]).toEqual(['model.norm.weight']);
  });
  it('is all of it otherwise', () => {
    const { trainable, standing } = trainedPart(parameters, 'tuned');
    expect([trainable, standing.size]).toEqual([parameters, 0]);
  });
});

describe('the pairs that say where scores lie', () => {
  const pairs = Array.from({ length: 1000 }, (_, i) => i);

  it('come from old and new rows alike, each at most once, and the same ones when a job goes on', () => {
    const drawn = pairsForScale(pairs, 7);
    expect(new Set(drawn).size).toBe(256);
    for (const start of [0, 250, 500, 750])
      expect(drawn.filter((i) => i >= start && i < start + 250).length).toBeGreaterThan(40);
    expect(pairsForScale(pairs, 7)).toEqual(drawn);
    expect(pairsForScale(pairs, 8)).not.toEqual(drawn);
  });

  it('are all of them where there are few', () => {
    expect(pairsForScale(pairs.slice(0, 5), 7).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(pairsForScale([], 7)).toEqual([]);
  });
});
