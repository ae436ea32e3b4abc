import { InvalidRequestError } from '@attune/platform';
import type { TensorMap } from '@attune/runtime';
import { float32Vector, int64Vector } from './feeds.js';
import { padSequences, type TokenBatch, type WeightedSequence } from './token-batch.js';

/** One sampled answer with everything PPO needs about each of its tokens (the stop token included). */
export interface ScoredRollout {
  readonly promptIds: readonly number[];
  readonly answerIds: readonly number[];
  readonly oldLogProbs: ArrayLike<number>;
  readonly referenceLogProbs: ArrayLike<number>;
  readonly oldValues: ArrayLike<number>;
  readonly advantages: ArrayLike<number>;
  readonly returns: ArrayLike<number>;
}

export interface PpoBatch {
  /** The rollouts' rows, weight 1 on answer tokens, then the ptx rows with weight 0. */
  readonly tokens: TokenBatch;
  readonly numTokens: number;
  /** All per answer token, in row order. */
  readonly oldLogProbs: readonly number[];
  readonly referenceLogProbs: readonly number[];
  readonly oldValues: readonly number[];
  readonly advantages: readonly number[];
  readonly returns: readonly number[];
  /** Positions, labels and weights of the mixed-in supervised loss. */
  readonly ptx: {
    readonly rows: readonly number[];
    readonly labels: readonly bigint[];
    readonly weights: readonly number[];
  };
}

/** Lays rollouts and the supervised sequences mixed in with them out as padded rows. */
export function ppoBatch(rollouts: readonly ScoredRollout[], ptx: readonly WeightedSequence[] = []): PpoBatch {
  rollouts.forEach(checkRollout);
  const answers = rollouts.map(({ promptIds, answerIds }) => ({
    ids: [...promptIds, ...answerIds],
    weights: [...promptIds.map(() => 0), ...answerIds.map(() => 1)],
  }));
  const padded = padSequences([...answers, ...ptx]);
  const numTokens = rollouts.reduce((all, { answerIds }) => all + answerIds.length, 0);
  const tokens = { ...padded, weights: padded.weights.slice().fill(0, rollouts.length * padded.length) };
  const perToken = (of: (rollout: ScoredRollout) => ArrayLike<number>) =>
    rollouts.flatMap((rollout) => Array.from(of(rollout)));
  return {
    tokens,
    numTokens,
    oldLogProbs: perToken((rollout) => rollout.oldLogProbs),
    referenceLogProbs: perToken((rollout) => rollout.referenceLogProbs),
    oldValues: perToken((rollout) => rollout.oldValues),
    advantages: perToken((rollout) => rollout.advantages),
    returns: perToken((rollout) => rollout.returns),
    ptx: ptxPart(padded, rollouts.length, numTokens),
  };
}

/** The ptx part as graph inputs; one position of weight 0 when there is none. */
export function ptxRowFeeds({ ptx }: PpoBatch): TensorMap {
  const none = ptx.rows.length === 0;
  return {
    ptxRows: int64Vector(none ? [0] : ptx.rows),
    ptxLabels: int64Vector(none ? [0] : ptx.labels.map(Number)),
    ptxWeights: float32Vector(none ? [0] : ptx.weights),
  };
}

/** Weights are scaled to sum to the number of answer tokens: the step divides by that, which leaves a mean. */
function ptxPart(padded: TokenBatch, firstRow: number, numTokens: number): PpoBatch['ptx'] {
  const rows: number[] = [];
  for (let i = firstRow * padded.length; i < padded.weights.length; i++) if (padded.weights[i] !== 0) rows.push(i);
  const total = rows.reduce((all, i) => all + padded.weights[i]!, 0);
  return {
    rows,
    labels: rows.map((i) => padded.labels[i]!),
    weights: rows.map((i) => (padded.weights[i]! * numTokens) / total),
  };
}

function checkRollout(rollout: ScoredRollout): void {
  const expected = rollout.answerIds.length;
  if (rollout.promptIds.length === 0)
    throw new InvalidRequestError(
      'a rollout needs at least one prompt token: the first answer token is predicted from it',
    );
  for (const name of ['oldLogProbs', 'referenceLogProbs', 'oldValues', 'advantages', 'returns'] as const)
    if (rollout[name].length !== expected)
      throw new InvalidRequestError(`a rollout of ${expected} answer tokens has ${rollout[name].length} ${name}`);
}
