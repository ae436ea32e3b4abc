import { tuningJobConfig } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { allThumbs, balancedWeights, mismatchedWithin } from './kto.recipe.js';

const { kto } = tuningJobConfig.parse({});
const thumbs = (up: number, down: number) => Array.from({ length: up + down }, (_, i) => ({ liked: i < up }));

describe('KTO', () => {
  it('weighs the rarer verdict up until both weigh the same', () => {
    expect(balancedWeights(thumbs(9, 3), kto)).toEqual({ desirableWeight: 1, undesirableWeight: 3 });
    expect(balancedWeights(thumbs(2, 8), kto)).toEqual({ desirableWeight: 4, undesirableWeight: 1 });
    expect(balancedWeights(thumbs(4, 4), kto)).toEqual({ desirableWeight: 1, undesirableWeight: 1 });
  });
  it('puts no answer beyond the model’s positions when it stands behind another’s prompt', () => {
    const answers = [
      { ids: [1, 2, 3, 4, 5, 6, 7, 8], promptLength: 7 },
      { ids: [1, 20, 21, 22, 23, 24, 25, 26], promptLength: 1 },
    ];
    expect(mismatchedWithin(8, answers)).toEqual([
      { ids: [1, 2, 3, 4, 5, 6, 7, 20], promptLength: 7 },
      { ids: [1, 8], promptLength: 1 },
    ]);
  });
  it('reads a preference as a liked and a disliked answer', () => {
    const prompt = [{ role: 'user' as const, content: 'Hi' }];
    const found = allThumbs({ thumbs: [], preferences: [{ prompt, chosen: 'yes', rejected: 'no' }] });
    expect(found).toEqual([
      { prompt, answer: 'yes', liked: true },
      { prompt, answer: 'no', liked: false },
    ]);
  });
});
