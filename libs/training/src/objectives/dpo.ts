import { add, cast, type Graph, greater, neg, reduceSum, scale, softplus, sub, type Tensor } from '@attune/graph';
import { float32Vector } from '../batches/feeds.js';
import { answerOwners, type PairBatch, type Pooling } from '../batches/pair-batch.js';
import type { WeightedSequence } from '../batches/token-batch.js';
import type { ModelGraph } from '../step/model-graph.js';
import type { Objective, ObjectiveTensors } from '../step/objective.js';
import { sumByOwner, tokenLogProbs } from './answer-sums.js';
import { besideFeeds, withSupervised } from './supervised-beside.js';

/** A preference batch with the reference's log-prob gap of each pair: Σ log ref(chosen) − Σ log ref(rejected), [P]. */
export interface DpoBatch {
  readonly pairs: PairBatch;
  readonly referenceGaps: readonly number[];
  /** Learnt beside the pairs, each token counting by its weight. */
  readonly replayed?: readonly WeightedSequence[];
}

export interface DpoOptions {
  /** β: how strongly the policy is held to the reference. */
  readonly beta: number;
  /** α: weight of the chosen answer's NLL, a mean over its tokens (Pang et al. 2024, eq. 1); 0, the default: none. */
  readonly sftCoef?: number;
  /** ε: probability that a label is the wrong way round (conservative DPO); 0, the default, is plain DPO. */
  readonly labelSmoothing?: number;
}

/**
 * Direct preference optimisation (Rafailov et al. 2023, eq. 7):
 * L = −E[log σ(β((log π(y_c) − log π(y_r)) − (log ref(y_c) − log ref(y_r))))], log-probs summed over each answer.
 * With label smoothing it is cDPO (Mitchell 2023, https://ericmitchell.ai/cdpo.pdf, eq. 3).
 */
export function dpo({ beta, sftCoef = 0, labelSmoothing = 0 }: DpoOptions): Objective<DpoBatch> {
  return pairObjective('dpo', 'sum', sftCoef, ({ g }, policyGaps, referenceGaps) =>
    dpoTerms(g, policyGaps, referenceGaps, beta, labelSmoothing),
  );
}

/** An objective over log-prob gaps of pairs, with the chosen answers' NLL and replayed sequences beside them. */
export function pairObjective(
  name: string,
  pooling: Pooling,
  sftCoef: number,
  terms: (model: ModelGraph, policyGaps: Tensor, referenceGaps: Tensor) => ObjectiveTensors,
): Objective<DpoBatch> {
  return {
    name,
    build(model) {
      const referenceGaps = model.batch('referenceGaps', 'float32', ['P']);
      const logProbs = tokenLogProbs(model);
      return withSupervised(model, logProbs, terms(model, sumByOwner(model, logProbs, referenceGaps), referenceGaps));
    },
    feeds: ({ pairs, referenceGaps, replayed }) => ({
      ...besideFeeds(pairs.tokens, answerOwners(pairs, pooling), { answerWeights: ofChosen(pairs, sftCoef), replayed }),
      referenceGaps: float32Vector(referenceGaps),
    }),
    count: ({ referenceGaps }) => referenceGaps.length,
  };
}

/** coef/length for each token of a chosen answer, 0 for the others: in means, chosen answers count with 1/length. */
const ofChosen = (pairs: PairBatch, coef: number): number[] =>
  answerOwners(pairs, 'mean').factors.map((factor) => coef * Math.max(0, factor));

/** The loss over log-prob gaps [P] of policy and reference: −(1 − ε) log σ(z) − ε log σ(−z) with z = β · difference. */
export function dpoTerms(g: Graph, policyGaps: Tensor, referenceGaps: Tensor, beta: number, labelSmoothing = 0) {
  const margins = scale(g, sub(g, policyGaps, referenceGaps), beta);
  const asLabelled = softplus(g, neg(g, margins));
  const losses =
    labelSmoothing === 0
      ? asLabelled
      : add(g, scale(g, asLabelled, 1 - labelSmoothing), scale(g, softplus(g, margins), labelSmoothing));
  return { lossSum: reduceSum(g, losses), metricSums: marginMetrics(g, margins) };
}

/** Share of pairs whose implicit reward ranks them as people did, and the mean implicit margin. */
export const marginMetrics = (g: Graph, margins: Tensor) => ({
  accuracy: reduceSum(g, cast(g, greater(g, margins, g.scalar(0)), 'float32')),
  margin: reduceSum(g, margins),
});
