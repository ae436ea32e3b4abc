import { describe, expect, it } from 'vitest';
import { vocabularyOf } from '@attune/structured';
import { healPrompt } from './healing.js';

const vocab = { a: 0, b: 1, ht: 2, 'http:': 3, 'http://': 4, 'http:x': 5, '<end>': 6 };
const vocabulary = vocabularyOf({
  model: { vocab },
  added_tokens: [{ id: 6, content: '<end>', special: true }],
});
const allowedOf = (prompt: number[], size = 7) => {
  const healed = healPrompt(prompt, vocabulary, size);
  return healed && Array.from({ length: size }, (_, id) => id).filter((id) => (healed.allowed[0]! >>> id) & 1);
};

describe('healPrompt', () => {
  it('puts in the place of the last token whatever begins with its text', () => {
    expect(allowedOf([0, 3])).toEqual([3, 4, 5]);
    expect(allowedOf([0, 2])).toEqual([2, 3, 4, 5].filter((id) => Object.keys(vocab)[id]!.startsWith('ht')));
    expect(healPrompt([0, 3], vocabulary, 7)).toMatchObject({ token: 3 });
  });

  it('leaves a prompt alone whose last token nothing continues, is a control token, or is all there is', () => {
    expect(allowedOf([0, 4])).toBeNull();
    expect(allowedOf([0, 6])).toBeNull();
    expect(allowedOf([3])).toBeNull();
  });

  it('allows no token the model does not have', () => {
    expect(allowedOf([0, 3], 5)).toEqual([3, 4]);
  });
});
