import type { SuiteScore } from '@attune/tasks';
import { describe, expect, it } from 'vitest';
import { compareSuites, gateSuite } from './task-suite.js';
import { winRate } from './win-rate.js';

const versus = (ours: number, theirs: number, text = 'x') => ({
  candidate: { text, score: ours },
  live: { text: 'y', score: theirs },
});

describe('win rate', () => {
  it('counts the prompts where the candidate scores higher', () => {
    expect(winRate([versus(2, 1), versus(0, 1), versus(3, 1), versus(2, 1)])).toBe(0.75);
  });
  it('gives nobody the win for the same answer, whatever rounding says', () => {
    expect(winRate([versus(1.000001, 1, 'y')])).toBe(0.5);
  });
  it('says nothing without prompts', () => {
    expect(winRate([])).toBeNull();
  });
});

describe('task suite', () => {
  const score = (right: number[]): SuiteScore => ({
    perFamily: right.map((n, i) => ({
      family: `family ${i}`,
      split: 'train',
      asked: i === 0 ? 4 : 2,
      right: n,
      exactMatch: n / (i === 0 ? 4 : 2),
      misses: [],
    })),
    seen: 0,
    heldout: 0,
  });

  it('weighs every question the same, whatever the size of its family', () => {
    const { candidate, live, byFamily } = compareSuites(score([4, 0]), score([2, 2]));
    expect([candidate, live]).toEqual([4 / 6, 4 / 6]);
    expect(byFamily).toEqual([
      { family: 'family 0', candidate: 1, live: 0.5 },
      { family: 'family 1', candidate: 0, live: 1 },
    ]);
  });
  it('asks the same questions every time', () => {
    const questions = () => gateSuite(1).groups.flatMap(({ examples }) => examples.map(({ messages }) => messages));
    expect(questions()).toEqual(questions());
    expect(questions().length).toBeGreaterThan(100);
  });
});
