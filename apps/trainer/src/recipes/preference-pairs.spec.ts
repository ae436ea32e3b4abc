import { describe, expect, it } from 'vitest';
import { joinRankings } from './preference-pairs.js';

const prompt = [{ role: 'user' as const, content: 'Hi' }];
const pair = (chosen: string, rejected: string, asked = prompt) => ({ prompt: asked, chosen, rejected });
const answersOf = (...pairs: ReturnType<typeof pair>[]) => joinRankings(pairs).map(({ answers }) => answers);

describe('joining preferences into rankings', () => {
  it('makes one of a chain, in whatever order its pairs come', () => {
    expect(answersOf(pair('b', 'c'), pair('a', 'b'))).toEqual([['a', 'b', 'c']]);
    expect(answersOf(pair('a', 'c'), pair('b', 'c'), pair('a', 'b'))).toEqual([['a', 'b', 'c']]);
  });
  it('leaves pairs alone that nobody put in one order', () => {
    expect(answersOf(pair('a', 'b'), pair('a', 'c'))).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ]);
  });
  it('leaves a cycle in pairs', () => {
    const cycle = [pair('a', 'b'), pair('b', 'c'), pair('c', 'a')];
    expect(answersOf(...cycle)).toEqual(cycle.map(({ chosen, rejected }) => [chosen, rejected]));
    expect(answersOf(pair('t', 'a'), pair('a', 'b'), pair('b', 'a'))).toHaveLength(3);
  });
  it('counts a pair once that was given twice, and no answer against itself', () => {
    expect(answersOf(pair('a', 'b'), pair('a', 'b'), pair('b', 'c'))).toEqual([['a', 'b', 'c']]);
    expect(answersOf(pair('a', 'b'), pair('b', 'b'))).toHaveLength(2);
  });
  it('takes every pair of forty ranked answers at once', () => {
    const names = Array.from({ length: 40 }, (_, i) => `answer ${i}`);
    const pairs = names.flatMap((name, i) => names.slice(i + 1).map((worse) => pair(name, worse)));
    expect(answersOf(...pairs.toReversed())).toEqual([names]);
  });
  it('never joins answers to different prompts', () => {
    const other = [{ role: 'user' as const, content: 'Hello' }];
    expect(answersOf(pair('a', 'b'), pair('b', 'c', other))).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
  });
});
