import { describe, expect, it } from 'vitest';
import { trainBpe } from './bpe-trainer.js';
import { byteAlphabet, splitWords } from './byte-level.js';

const texts = ['low low low low low', 'lower lower', 'newest newest newest', 'widest widest', 'room 1207'];
const settings = { vocabSize: 290, specialTokens: ['<|pad|>', '<|end|>'] };

describe('trainBpe', () => {
  it('merges the most frequent pair first and breaks ties by order', () => {
    const { merges } = trainBpe(['ab ab ab ac', 'xab'], { vocabSize: 258, specialTokens: [] });
    // Words are " ab" x3, " ac" and " xab": "ab" occurs 4 times, the pair of space and "a" 4 times; "a" sorts first.
    expect(merges).toEqual([
      ['a', 'b'],
      ['Ġ', 'ab'],
    ]);
  });

  it('gives the same vocabulary for the same texts', () => {
    expect(trainBpe(texts, settings)).toEqual(trainBpe(texts, settings));
  });

  it('puts the special tokens first, then the 256 bytes, then merges up to the wanted size', () => {
    const { vocab, merges } = trainBpe(texts, { vocabSize: 270, specialTokens: settings.specialTokens });
    const tokens = Object.keys(vocab).toSorted((a, b) => vocab[a] - vocab[b]);
    expect(tokens).toHaveLength(270);
    expect(tokens.slice(0, 2)).toEqual(settings.specialTokens);
    expect(tokens.slice(2, 258)).toEqual(byteAlphabet);
    expect(vocab[merges[0].join('')]).toBe(258);
  });

  it('stops early when no pair is frequent enough', () => {
    const { merges } = trainBpe(['abc'], { vocabSize: 400, specialTokens: [], minFrequency: 2 });
    expect(merges).toEqual([]);
  });

  it('never joins digits', () => {
    const { merges } = trainBpe(Array<string>(20).fill('12 12 1212'), { vocabSize: 400, specialTokens: [] });
    expect(merges.filter(([left, right]) => /\d/.test(left + right))).toEqual([]);
  });

  it('keeps pair counts right where a pair overlaps itself', () => {
    const { merges } = trainBpe(['aaaa aaaa'], { vocabSize: 259, specialTokens: [] });
    expect(merges).toEqual([
      ['a', 'a'],
      ['aa', 'aa'],
      ['Ġ', 'aaaa'],
    ]);
  });
});

describe('splitWords', () => {
  it('keeps every character, with a space in front', () => {
    const text = "It's 42,  ok?\n\tüber 日本";
    expect(splitWords(text).join('')).toBe(` ${text}`);
  });

  it('has a stand-in of its own for each byte', () => {
    expect(new Set(byteAlphabet).size).toBe(256);
  });
});
