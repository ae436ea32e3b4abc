import { InvalidRequestError } from '@attune/platform';
import { padSequences, type TokenBatch } from './token-batch.js';

/** A prompt with its answer, as one token sequence ending with the stop token. */
export interface Answer {
  readonly ids: readonly number[];
  /** Tokens before the answer begins; at least 1, the first answer token is predicted from the one before. */
  readonly promptLength: number;
}

/** Answers as padded rows, weight 1 on answer tokens; and of each answer token, in row order, its row. */
export interface AnswerBatch {
  readonly tokens: TokenBatch;
  readonly owners: readonly number[];
  /** Answer tokens of each row. */
  readonly lengths: readonly number[];
}

/** @throws InvalidRequestError for an answer without tokens or without a prompt */
export function answerBatch(answers: readonly Answer[], length?: number): AnswerBatch {
  answers.forEach(check);
  const lengths = answers.map(({ ids, promptLength }) => ids.length - promptLength);
  const sequences = answers.map(({ ids, promptLength }) => ({
    ids,
    weights: ids.map((_, i) => Number(i >= promptLength)),
  }));
  return {
    tokens: padSequences(sequences, length),
    owners: lengths.flatMap((count, row) => Array<number>(count).fill(row)),
    lengths,
  };
}

/** Σ over each answer of a per-token number given in row order, such as log-probs. */
export function sumByAnswer({ owners, lengths }: AnswerBatch, perToken: ArrayLike<number>): number[] {
  const sums = lengths.map(() => 0);
  owners.forEach((row, i) => (sums[row]! += perToken[i]!));
  return sums;
}

function check({ ids, promptLength }: Answer): void {
  if (promptLength < 1 || ids.length <= promptLength)
    throw new InvalidRequestError(
      `an answer needs a prompt and at least one token of its own: it has ${ids.length} tokens, ${promptLength} of them prompt`,
    );
}
