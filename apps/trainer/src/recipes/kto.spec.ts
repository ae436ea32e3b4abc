import { tuningJobConfig } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { allThumbs, balancedWeights } from './kto.recipe.js';

const { kto } = tuningJobConfig.parse({});
const thumbs = (up: number, down: number) => Array.from({ length: up + down }, (_, i) => ({ liked: i < up }));

describe('KTO', () => {
  it('weighs the rarer verdict up until both weigh the same', () => {
    expect(balancedWeights(thumbs(9, 3), kto)).toEqual({ desirableWeight: 1, undesirableWeight: 3 });
    expect(balancedWeights(thumbs(2, 8), kto)).toEqual({ desirableWeight: 4, undesirableWeight: 1 });
    expect(balancedWeights(thumbs(4, 4), kto)).toEqual({ desirableWeight: 1, undesirableWeight: 1 });
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
