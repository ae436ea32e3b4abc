import { padSequences, type TokenBatch } from './token-batch.js';

/** Two answers to one prompt, as whole token sequences (prompt and answer, ending with the stop token). */
export interface PreferencePair {
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
  /** Tokens both share before the answers begin. */
  readonly promptLength: number;
  /** How much better the chosen one must score (0 when left out). */
  readonly margin?: number;
  /** How much the pair counts, 1 when left out; 1/(pairs of its prompt) keeps ranked lists from dominating. */
  readonly weight?: number;
}

export interface PairBatch {
  /** Row 2i is the chosen answer of pair i, row 2i + 1 the rejected one; weights are 1 on answer tokens. */
  readonly tokens: TokenBatch;
  /** Flat index of each sequence's last token. */
  readonly chosenRows: readonly number[];
  readonly rejectedRows: readonly number[];
  readonly margins: readonly number[];
  readonly weights: readonly number[];
}

/** Whether an answer's log-prob is the sum over its tokens or their mean. */
export type Pooling = 'sum' | 'mean';

/** Lays pairs out as padded rows. */
export function pairBatch(pairs: readonly PreferencePair[], length?: number): PairBatch {
  const answer = (ids: readonly number[], start: number) => ({ ids, weights: ids.map((_, i) => (i < start ? 0 : 1)) });
  const tokens = padSequences(
    pairs.flatMap((pair) => [answer(pair.chosen, pair.promptLength), answer(pair.rejected, pair.promptLength)]),
    length,
  );
  const last = (row: number, ids: readonly number[]) => row * tokens.length + ids.length - 1;
  return {
    tokens,
    chosenRows: pairs.map((pair, i) => last(2 * i, pair.chosen)),
    rejectedRows: pairs.map((pair, i) => last(2 * i + 1, pair.rejected)),
    margins: pairs.map(({ margin = 0 }) => margin),
    weights: pairs.map(({ weight = 1 }) => weight),
  };
}

/**
 * For each answer token in row order: its pair, and the factor it counts with in the pair's gap, positive in the chosen
 * answer and negative in the rejected one; ±1 in a sum, ±1/length in a mean.
 */
export function answerOwners({ tokens }: PairBatch, pooling: Pooling = 'sum'): { owners: number[]; factors: number[] } {
  const rows = [...tokens.weights].flatMap((weight, i) => (weight === 0 ? [] : [Math.floor(i / tokens.length)]));
  const lengths = new Map<number, number>();
  for (const row of rows) lengths.set(row, (lengths.get(row) ?? 0) + 1);
  const sign = (row: number) => (row % 2 === 0 ? 1 : -1);
  return {
    owners: rows.map((row) => Math.floor(row / 2)),
    factors: rows.map((row) => (pooling === 'sum' ? sign(row) : sign(row) / lengths.get(row)!)),
  };
}
