import { add, mul, neg, reduceSum, type Tensor } from '@attune/graph';
import type { TensorMap } from '@attune/runtime';
import { float32Vector, weightedRowFeeds } from '../batches/feeds.js';
import { type TokenBatch, type WeightedSequence, withRows } from '../batches/token-batch.js';
import type { ModelGraph } from '../step/model-graph.js';
import type { ObjectiveTensors } from '../step/objective.js';
import { answerSumFeeds, type Ownership } from './answer-sums.js';

/** What is learnt beside a loss over judged answers, in the same forward pass. */
export interface Beside {
  /** How much each answer token, in row order, counts as one to be said; 0 = not at all. */
  readonly answerWeights: readonly number[];
  /** Sequences in rows of their own, each token counting by its weight: replayed general tasks. */
  readonly replayed?: readonly WeightedSequence[] | undefined;
}

/**
 * A loss over judged answers with supervised terms: L + Σ −w log π(token). Preference losses see nothing but differences
 * between answers, so they may lower the log-prob of the better one too (Pang et al. 2024,
 * https://arxiv.org/abs/2404.19733, eq. 1, add its NLL), and nothing in them holds what the data do not speak of
 * (Ouyang et al. 2022, eq. 2, replay it).
 */
export function withSupervised(model: ModelGraph, logProbs: Tensor, judged: ObjectiveTensors): ObjectiveTensors {
  const { g } = model;
  const supervised = neg(g, reduceSum(g, mul(g, logProbs, model.batch('supervisedWeights', 'float32', ['R']))));
  return {
    lossSum: add(g, judged.lossSum, supervised),
    metricSums: { ...judged.metricSums, supervised },
  };
}

/** The inputs of answer sums and supervised terms: the rows of the answers, then the replayed ones, owned by nobody. */
export function besideFeeds(answers: TokenBatch, ownership: Ownership, beside: Beside): TensorMap {
  const tokens = withRows(answers, beside.replayed ?? []);
  const numAnswerTokens = ownership.owners.length;
  const replayedWeights = (weightedRowFeeds(tokens)['weights']!.data as Float32Array).subarray(numAnswerTokens);
  const unowned = Array<number>(replayedWeights.length).fill(0);
  return {
    ...answerSumFeeds(tokens, {
      owners: [...ownership.owners, ...unowned],
      factors: [...ownership.factors, ...unowned],
    }),
    supervisedWeights: float32Vector([...beside.answerWeights, ...replayedWeights]),
  };
}
