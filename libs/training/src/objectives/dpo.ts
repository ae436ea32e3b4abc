import {
  cast,
  type Graph,
  greater,
  mul,
  neg,
  reduceSum,
  scale,
  scatterAdd,
  softplus,
  sub,
  type Tensor,
  zeros,
} from '@attune/graph';
import { float32Vector, int64Vector, tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import { answerOwners, type PairBatch } from '../batches/pair-batch.js';
import type { Objective } from '../step/objective.js';

/** A preference batch with the reference's log-prob gap of each pair: Σ log ref(chosen) − Σ log ref(rejected), [P]. */
export interface DpoBatch {
  readonly pairs: PairBatch;
  readonly referenceGaps: readonly number[];
}

/**
 * Direct preference optimisation (Rafailov et al. 2023, eq. 7):
 * L = −E[log σ(β((log π(y_c) − log π(y_r)) − (log ref(y_c) − log ref(y_r))))], log-probs summed over each answer.
 */
export function dpo({ beta }: { readonly beta: number }): Objective<DpoBatch> {
  return {
    name: 'dpo',
    build(model) {
      const { g } = model;
      const referenceGaps = model.batch('referenceGaps', 'float32', ['P']);
      const rows = model.rows(model.hidden(), 'rows', 'R');
      const logProbs = model.labelLogProbs(rows, model.batch('labels', 'int64', ['R']));
      const signed = mul(g, logProbs, model.batch('signs', 'float32', ['R']));
      const gaps = scatterAdd(g, zeros(g, ['P']), model.batch('owners', 'int64', ['R']), signed, 0);
      return dpoTerms(g, gaps, referenceGaps, beta);
    },
    feeds({ pairs, referenceGaps }) {
      const { rows, labels } = weightedRowFeeds(pairs.tokens);
      const { owners, signs } = answerOwners(pairs);
      return {
        ...tokenFeeds(pairs.tokens),
        rows: rows!,
        labels: labels!,
        owners: int64Vector(owners),
        signs: float32Vector(signs),
        referenceGaps: float32Vector(referenceGaps),
      };
    },
    count: ({ referenceGaps }) => referenceGaps.length,
  };
}

/** The loss over log-prob gaps [P] of policy and reference. */
export function dpoTerms(g: Graph, policyGaps: Tensor, referenceGaps: Tensor, beta: number) {
  const margins = scale(g, sub(g, policyGaps, referenceGaps), beta);
  return {
    lossSum: reduceSum(g, softplus(g, neg(g, margins))),
    metricSums: {
      accuracy: reduceSum(g, cast(g, greater(g, margins, g.scalar(0)), 'float32')),
      margin: reduceSum(g, margins),
    },
  };
}
