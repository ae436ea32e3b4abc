import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import {
  answerBatch,
  calibrationOf,
  groupRelativeAdvantages,
  leaveOneOutAdvantages,
  mismatchedAnswers,
  nextKlCoef,
  rewardBatch,
  sumByAnswer,
} from '../index.js';

describe('group advantages', () => {
  it('have mean 0 in each group, and deviation 1 the way of GRPO', () => {
    const found = groupRelativeAdvantages([1, 2, 3, 6, 5, 5, 5, 5], 4);
    const [first, second] = [found.slice(0, 4), found.slice(4)];
    expect(first.reduce((a, b) => a + b)).toBeCloseTo(0, 10);
    expect(first.reduce((a, b) => a + b * b, 0) / 3).toBeCloseTo(1, 3);
    expect(second).toEqual([0, 0, 0, 0]);
  });

  it('are a score less the mean of the others the way of RLOO', () => {
    expect(leaveOneOutAdvantages([1, 2, 6, 0, 0, 3], 3)).toEqual([-3, -1.5, 4.5, -1.5, -1.5, 3]);
  });

  it('refuse scores that make no groups', () => {
    expect(() => leaveOneOutAdvantages([1, 2, 3], 2)).toThrow('3 scores do not make groups of 2');
    expect(() => groupRelativeAdvantages([1], 1)).toThrow('groups of 1');
  });
});

describe('calibration', () => {
  it('is perfect where σ(gap) is how often the pair is ranked so', () => {
    const random = createRandom(3);
    const gaps = Array.from({ length: 40_000 }, () => {
      const size = 3 * random.next();
      return random.next() < 1 / (1 + Math.exp(-size)) ? size : -size;
    });
    expect(calibrationOf(gaps).error).toBeLessThan(0.01);
  });

  it('is as far off as a model that is always sure and right half the time', () => {
    const { error, bins } = calibrationOf([50, -50, 50, -50]);
    expect(error).toBeCloseTo(0.5, 10);
    expect(bins).toEqual([{ confidence: 1, accuracy: 0.5, pairs: 4 }]);
  });
});

describe('the KL coefficient', () => {
  it('follows the measured distance, by 2 % a round at most', () => {
    expect(nextKlCoef(0.1, 6, { target: 6 })).toBeCloseTo(0.1, 12);
    expect(nextKlCoef(0.1, 60, { target: 6 })).toBeCloseTo(0.102, 12);
    expect(nextKlCoef(0.1, 0, { target: 6 })).toBeCloseTo(0.098, 12);
    expect(nextKlCoef(0.1, 6.6, { target: 6, gain: 1 })).toBeCloseTo(0.11, 12);
  });
});

describe('rewardBatch', () => {
  it('makes every pair of a ranking, over one place an answer, each ranking counting as one', () => {
    const answers = [
      [1, 2, 3],
      [1, 2],
      [1, 4, 5, 6],
    ];
    const batch = rewardBatch([{ answers, margins: [0.5, 1] }, { answers: [[7], [8, 9]] }]);
    // Five answers of 12 tokens lie in rows of 4.
    expect(batch.tokens.rows).toBe(3);
    const last = (rows: readonly number[]) => rows.map((at) => Number(batch.tokens.ids[at]));
    expect(last(batch.chosenRows)).toEqual([3, 3, 2, 7]);
    expect(last(batch.rejectedRows)).toEqual([2, 6, 6, 9]);
    expect(batch.margins).toEqual([0.5, 1.5, 1, 0]);
    expect(batch.weights.map((weight) => weight.toFixed(3))).toEqual(['0.333', '0.333', '0.333', '1.000']);
  });

  it('puts thumbs behind the rankings', () => {
    const { tokens, thumbs } = rewardBatch([{ answers: [[1, 2], [3]] }], [{ ids: [5, 6, 7], liked: false, weight: 2 }]);
    expect(thumbs!.rows.map((at) => Number(tokens.ids[at]))).toEqual([7]);
    expect(thumbs).toMatchObject({ liked: [false], weights: [2] });
  });

  it('refuses a ranking of one, and margins that do not fit', () => {
    expect(() => rewardBatch([{ answers: [[1]] }])).toThrow('needs two answers');
    expect(() => rewardBatch([{ answers: [[1], [2]], margins: [1, 2] }])).toThrow('1 margins between them, not 2');
  });
});

describe('answers', () => {
  const answers = [
    { ids: [1, 2, 3, 4], promptLength: 2 },
    { ids: [5, 6], promptLength: 1 },
  ];

  it('are summed each on its own', () => {
    expect(sumByAnswer(answerBatch(answers), [10, 20, 5])).toEqual([30, 5]);
  });

  it('are given to one another’s prompts', () => {
    expect(mismatchedAnswers(answers)).toEqual([
      { ids: [1, 2, 6], promptLength: 2 },
      { ids: [5, 3, 4], promptLength: 1 },
    ]);
  });

  it('need a prompt and a token of their own', () => {
    expect(() => answerBatch([{ ids: [1, 2], promptLength: 2 }])).toThrow('2 of them prompt');
    expect(() => answerBatch([{ ids: [1, 2], promptLength: 0 }])).toThrow('0 of them prompt');
  });
});
