import { describe, expect, it } from 'vitest';
import { searchTerms } from './search-terms.js';

describe('searchTerms', () => {
  it('takes each word once, without the signs that mean something to tsquery', () => {
    expect(searchTerms(`What's the price (of a) ferry & "Ferry" | !ticket:* ?`)).toEqual([
      'what',
      's',
      'the',
      'price',
      'of',
      'a',
      'ferry',
      'ticket',
    ]);
  });

  it('keeps letters of every script, and numbers', () => {
    expect(searchTerms('Überfahrt 2024 東京 naïve')).toEqual(['überfahrt', '2024', '東京', 'naïve']);
  });

  it('stops at 40 words of a question that is a whole text', () => {
    expect(searchTerms(Array.from({ length: 500 }, (_, i) => `word${i}`).join(' '))).toHaveLength(40);
  });
});
