import { InvalidRequestError } from '@attune/platform';
import { type AnswerBatch, answerBatch } from './answer-batch.js';

/** One sampled answer of a group, with what is known of its tokens (the stop token included). */
export interface GroupedRollout {
  readonly promptIds: readonly number[];
  readonly answerIds: readonly number[];
  readonly oldLogProbs: ArrayLike<number>;
  readonly referenceLogProbs: ArrayLike<number>;
  /** One advantage for the whole answer. */
  readonly advantage: number;
}

/** Rollouts as padded rows; per-token lists in row order. */
export interface GroupBatch {
  readonly answers: AnswerBatch;
  readonly oldLogProbs: readonly number[];
  readonly referenceLogProbs: readonly number[];
  /** One an answer. */
  readonly advantages: readonly number[];
}

/** Lays rollouts out as padded rows. */
export function groupBatch(rollouts: readonly GroupedRollout[]): GroupBatch {
  for (const { answerIds, oldLogProbs, referenceLogProbs } of rollouts)
    if (oldLogProbs.length !== answerIds.length || referenceLogProbs.length !== answerIds.length)
      throw new InvalidRequestError(
        `a rollout of ${answerIds.length} answer tokens has ${oldLogProbs.length} old and ${referenceLogProbs.length} reference log-probs`,
      );
  const answers = rollouts.map(({ promptIds, answerIds }) => ({
    ids: [...promptIds, ...answerIds],
    promptLength: promptIds.length,
  }));
  return {
    answers: answerBatch(answers),
    oldLogProbs: rollouts.flatMap(({ oldLogProbs }) => Array.from(oldLogProbs)),
    referenceLogProbs: rollouts.flatMap(({ referenceLogProbs }) => Array.from(referenceLogProbs)),
    advantages: rollouts.map(({ advantage }) => advantage),
  };
}
