import { add, cast, type Graph, greater, neg, reduceSum, scale, softplus, sub, type Tensor } from '@attune/graph';
import { float32Vector } from '../batches/feeds.js';
import { answerOwners, type PairBatch } from '../batches/pair-batch.js';
import type { Objective } from '../step/objective.js';
import { answerSumFeeds, answerSums } from './answer-sums.js';

/** A preference batch with the reference's log-prob gap of each pair: Σ log ref(chosen) − Σ log ref(rejected), [P]. */
export interface DpoBatch {
  readonly pairs: PairBatch;
  readonly referenceGaps: readonly number[];
}

export interface DpoOptions {
  /** β: how strongly the policy is held to the reference. */
  readonly beta: number;
  /** ε: probability that a label is the wrong way round (conservative DPO); 0, the default, is plain DPO. */
  readonly labelSmoothing?: number;
}

/**
 * Direct preference optimisation (Rafailov et al. 2023, eq. 7):
 * L = −E[log σ(β((log π(y_c) − log π(y_r)) − (log ref(y_c) − log ref(y_r))))], log-probs summed over each answer.
 * With label smoothing it is cDPO (Mitchell 2023, https://ericmitchell.ai/cdpo.pdf, eq. 3).
 */
export function dpo({ beta, labelSmoothing = 0 }: DpoOptions): Objective<DpoBatch> {
  return {
    name: 'dpo',
    build(model) {
      const referenceGaps = model.batch('referenceGaps', 'float32', ['P']);
      return dpoTerms(model.g, answerSums(model, referenceGaps), referenceGaps, beta, labelSmoothing);
    },
    feeds: ({ pairs, referenceGaps }) => ({
      ...answerSumFeeds(pairs.tokens, answerOwners(pairs)),
      referenceGaps: float32Vector(referenceGaps),
    }),
    count: ({ referenceGaps }) => referenceGaps.length,
  };
}

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
