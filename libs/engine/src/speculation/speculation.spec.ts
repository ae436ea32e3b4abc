import { describe, expect, it } from 'vitest';
import { afterDraft, afterNoDraft, draftLength, LONGEST_DRAFT, NO_DRAFTS } from './draft-length.js';
import { lookUpDraft } from './prompt-lookup.js';
import { Speculator } from './speculator.js';

describe('prompt lookup', () => {
  it('drafts what followed the same tokens before', () => {
    expect(lookUpDraft([1, 2, 3, 4, 5, 9, 1, 2, 3], 2)).toEqual([4, 5]);
  });

  it('prefers the longest match, and the latest of equals', () => {
    expect(lookUpDraft([7, 1, 2, 50, 1, 2, 60, 8, 1, 2, 70, 7, 1, 2], 1)).toEqual([50]);
    expect(lookUpDraft([1, 2, 50, 1, 2, 60, 9, 1, 2], 1)).toEqual([60]);
  });

  it('drafts nothing from a single equal token, or from before the prompt', () => {
    expect(lookUpDraft([3, 4, 5, 3], 4)).toEqual([]);
    expect(lookUpDraft([1, 2, 3, 9, 1, 2], 4, 1)).toEqual([]);
    expect(lookUpDraft([5], 4)).toEqual([]);
  });

  it('goes on with a repetition that has just begun', () => {
    expect(lookUpDraft([4, 5, 6, 5, 6], 5)).toEqual([5, 6, 5, 6, 5]);
  });
});

describe('the length of drafts', () => {
  it('grows with acceptance, and is 0 when drafts keep being refused', () => {
    let good = NO_DRAFTS;
    let bad = NO_DRAFTS;
    for (let i = 0; i < 20; i++) [good, bad] = [afterDraft(good, 8, false), afterDraft(bad, 0, true)];
    for (const format of ['fp32', 'int8', 'int4'] as const) {
      expect(draftLength(good, format)).toBe(LONGEST_DRAFT);
      expect(draftLength(bad, format)).toBe(0);
      expect(draftLength(NO_DRAFTS, format)).toBeGreaterThan(0);
    }
  });

  it('comes back from 0 after a while without drafts', () => {
    let record = NO_DRAFTS;
    for (let i = 0; i < 20; i++) record = afterDraft(record, 0, true);
    let steps = 0;
    while (draftLength(record, 'int4') === 0 && steps < 1000) {
      record = afterNoDraft(record);
      steps++;
    }
    expect(steps).toBeGreaterThan(20);
    expect(steps).toBeLessThan(300);
  });
});

describe('the speculator', () => {
  const tokens = [1, 2, 3, 4, 5, 6, 7, 1, 2];

  it('never drafts past what the answer may still get', () => {
    const speculator = new Speculator('fp32');
    expect(speculator.draft({ tokens, numVirtual: 0, tokensLeft: 3 })).toEqual([3, 4]);
    expect(speculator.draft({ tokens, numVirtual: 0, tokensLeft: 1 })).toEqual([]);
  });

  it('stops drafting for a sequence whose drafts fail, and not for another', () => {
    const speculator = new Speculator('int4');
    const [failing, other] = [
      { tokens, numVirtual: 0, tokensLeft: 99 },
      { tokens, numVirtual: 0, tokensLeft: 99 },
    ];
    for (let i = 0; i < 6; i++) speculator.learn(failing, 4, 0);
    expect(speculator.draft(failing)).toEqual([]);
    expect(speculator.draft(other).length).toBeGreaterThan(0);
    expect(speculator.counters).toEqual({ draftedTokens: 24, acceptedTokens: 0 });
  });
});
