import { describe, expect, it } from 'vitest';
import { coverage, relevantPassages } from './relevant-passages.js';

const leave = { text: 'Leave\nEvery employee has 25 days of paid vacation a year.', score: 5 };
const refund = { text: 'Customers may return goods within 30 days for a full refund.', score: 1 };
const kept = (question: string, ...passages: { text: string; score: number }[]) => relevantPassages(question, passages);

describe('relevance', () => {
  it('keeps a passage that speaks of what was asked', () => {
    expect(kept('How many vacation days do employees get?', leave)).toEqual([leave]);
    expect(kept('Please tell me: may I return a phone for a refund?', refund)).toEqual([refund]);
  });

  it('drops what matched by a word in passing', () => {
    expect(kept('Write the word vacation in capital letters and reverse it', leave)).toEqual([]);
    expect(kept('Hello, how are you?', leave, refund)).toEqual([]);
  });

  it('drops what falls far behind the best', () => {
    expect(kept('vacation days', leave, { ...refund, text: 'Ten days vacation in Rome' })).toEqual([leave]);
  });

  it('measures the share of content words, by stem, each once', () => {
    expect(coverage('employees employee vacations', leave.text)).toBe(1);
    expect(coverage('vacation on the moon', leave.text)).toBe(0.5);
    expect(coverage('is it?', leave.text)).toBe(0);
  });
});
