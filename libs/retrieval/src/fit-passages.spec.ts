import { groundedSystemMessage } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { fitPassages } from './fit-passages.js';

const countWords = (text: string) => text.split(/\s+/).length;
const passage = (id: number, words: number) => ({ id, text: Array.from({ length: words }, () => `w${id}`).join(' ') });
const idsOf = (passages: { id: number }[]) => passages.map(({ id }) => id);

describe('fitting passages', () => {
  const passages = [passage(1, 10), passage(2, 50), passage(3, 10), passage(4, 10)];

  it('never exceeds the budget, whatever it is, counting the block as it is sent', () => {
    for (let budget = 0; budget < 100; budget++) {
      const chosen = fitPassages(passages, budget, countWords);
      const block = groundedSystemMessage(chosen.map(({ text }) => text));
      if (chosen.length > 0) expect(countWords(block)).toBeLessThanOrEqual(budget);
    }
  });

  it('keeps the order of rank and steps over one that is too long', () => {
    expect(idsOf(fitPassages(passages, 1000, countWords))).toEqual([1, 2, 3, 4]);
    expect(idsOf(fitPassages(passages, 40, countWords))).toEqual([1, 3, 4]);
    expect(idsOf(fitPassages(passages, 5, countWords))).toEqual([]);
  });

  it('says nothing twice', () => {
    const twice = [passage(1, 10), { ...passage(1, 10), id: 5 }, { ...passage(1, 4), id: 6 }, passage(3, 2)];
    expect(idsOf(fitPassages(twice, 1000, countWords))).toEqual([1, 3]);
  });
});
