import { describe, expect, it } from 'vitest';
import {
  answerOwners,
  packSequences,
  padSequences,
  packWhole,
  pairBatch,
  ppoBatch,
  totalWeight,
  weightedRowFeeds,
  withRows,
} from '../index.js';

const sequence = (ids: number[], weights = ids.map(() => 1)) => ({ ids, weights });
const numbers = (array: ArrayLike<bigint>) => Array.from(array, Number);

describe('padSequences', () => {
  it('predicts each next token with its own weight, and nothing at the end or in padding', () => {
    const batch = padSequences([sequence([5, 6, 7], [1, 0.5, 0.25]), sequence([8, 9])]);
    expect([batch.rows, batch.length]).toEqual([2, 3]);
    expect(numbers(batch.ids)).toEqual([5, 6, 7, 8, 9, 0]);
    expect(numbers(batch.labels)).toEqual([6, 7, 0, 9, 0, 0]);
    expect([...batch.weights]).toEqual([0.5, 0.25, 0, 1, 0, 0]);
    expect(numbers(batch.segments)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(totalWeight(batch)).toBe(1.75);
  });

  it('refuses a sequence longer than the row, naming both lengths', () => {
    expect(() => padSequences([sequence([1, 2, 3])], 2)).toThrow('3 tokens does not fit a row of 2');
  });
});

describe('withRows', () => {
  it('puts sequences under the rows there are, all as long as the longest', () => {
    const rows = [sequence([5, 6, 7], [1, 0.5, 0.25]), sequence([8, 9])];
    const more = [sequence([1, 2, 3, 4])];
    expect(withRows(padSequences(rows), more)).toEqual(padSequences([...rows, ...more]));
    expect(withRows(padSequences(rows), [])).toEqual(padSequences(rows));
  });
});

describe('packSequences', () => {
  it('fills rows first fit, counts positions per sequence and hands back the rest', () => {
    const { batch, left } = packSequences(
      [sequence([1, 2, 3]), sequence([4, 5]), sequence([6]), sequence([7, 8])],
      2,
      4,
    );
    expect(numbers(batch.ids)).toEqual([1, 2, 3, 6, 4, 5, 7, 8]);
    expect(numbers(batch.positions)).toEqual([0, 1, 2, 0, 0, 1, 0, 1]);
    expect(numbers(batch.segments)).toEqual([1, 1, 1, 2, 1, 1, 2, 2]);
    expect(numbers(batch.labels)).toEqual([2, 3, 0, 0, 5, 0, 8, 0]);
    expect(left).toEqual([]);
    expect(packSequences([sequence([1, 2]), sequence([3])], 1, 2).left).toEqual([sequence([3])]);
  });
});

describe('weightedRowFeeds', () => {
  it('gathers the positions that count, and one of weight 0 when none does', () => {
    const feeds = weightedRowFeeds(padSequences([sequence([5, 6, 7], [0, 0, 2])]));
    expect(numbers(feeds['rows']!.data as BigInt64Array)).toEqual([1]);
    expect(numbers(feeds['labels']!.data as BigInt64Array)).toEqual([7]);
    expect([...(feeds['weights']!.data as Float32Array)]).toEqual([2]);
    const none = weightedRowFeeds(padSequences([sequence([5, 6], [0, 0])]));
    expect([...(none['weights']!.data as Float32Array)]).toEqual([0]);
  });
});

describe('packWhole', () => {
  const sequence = (first: number, length: number) => ({
    ids: Array.from({ length }, (_, i) => first + i),
    weights: Array<number>(length).fill(0),
  });

  it('puts every sequence into a row whole, and says where it ends', () => {
    const sequences = [sequence(10, 2), sequence(20, 5), sequence(30, 3), sequence(40, 1)];
    const { batch, last } = packWhole(sequences);
    expect([batch.rows, batch.length]).toEqual([3, 5]);
    expect(last.map((at) => Number(batch.ids[at]))).toEqual([11, 24, 32, 40]);
    last.forEach((at, i) => {
      const length = sequences[i]!.ids.length;
      expect(Array.from(batch.positions.slice(at - length + 1, at + 1), Number)).toEqual(
        sequences[i]!.ids.map((_, p) => p),
      );
      expect(new Set(batch.segments.slice(at - length + 1, at + 1)).size).toBe(1);
    });
  });

  it('leaves few places empty where padding leaves many', () => {
    const { batch } = packWhole([sequence(0, 8), ...Array.from({ length: 8 }, () => sequence(0, 2))]);
    expect([batch.rows, batch.length]).toEqual([3, 8]);
  });
});

describe('pairBatch', () => {
  it('lays chosen and rejected answers in alternate rows and points at their last tokens', () => {
    const batch = pairBatch([{ chosen: [1, 2, 3, 4], rejected: [1, 2, 5], promptLength: 2 }]);
    expect(batch.chosenRows.map((at) => Number(batch.tokens.ids[at]))).toEqual([4]);
    expect(batch.rejectedRows.map((at) => Number(batch.tokens.ids[at]))).toEqual([5]);
    expect(answerOwners(batch)).toEqual({ owners: [0, 0, 0], factors: [1, 1, -1] });
  });
});

describe('ppoBatch', () => {
  const rollout = (promptIds: number[], answerIds: number[]) => {
    const tens = answerIds.map((id) => id / 10);
    const rest = { referenceLogProbs: tens, oldValues: tens, advantages: tens, returns: tens };
    return { promptIds, answerIds, oldLogProbs: tens, ...rest };
  };

  it('keeps per-token numbers in the order of the rows that count', () => {
    const batch = ppoBatch([rollout([1, 2], [3, 4]), rollout([1], [5, 6, 7])]);
    const labels = weightedRowFeeds(batch.tokens)['labels']!.data as BigInt64Array;
    expect(numbers(labels)).toEqual([3, 4, 5, 6, 7]);
    expect(batch.oldLogProbs).toEqual([0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(batch.numTokens).toBe(5);
  });

  it('scales the ptx weights to the number of answer tokens', () => {
    const { tokens, ptx } = ppoBatch([rollout([1], [5, 6, 7])], [sequence([8, 9, 10], [0, 1, 2])]);
    expect(ptx.weights).toEqual([1, 2]);
    expect(ptx.labels.map(Number)).toEqual([9, 10]);
    expect(totalWeight(tokens)).toBe(3);
  });

  it('refuses a rollout without a prompt or with numbers missing', () => {
    expect(() => ppoBatch([rollout([], [3])])).toThrow('at least one prompt token');
    expect(() => ppoBatch([{ ...rollout([1], [3]), returns: [] }])).toThrow('0 returns');
  });
});
