import { type Graph, mul, reduceSum, scale, sub, type Tensor } from '@attune/graph';
import type { Objective } from '../step/objective.js';
import { type DpoBatch, type DpoOptions, marginMetrics, pairObjective } from './dpo.js';

/**
 * Identity preference optimisation (Azar et al. 2023, https://arxiv.org/abs/2310.12036, eq. 17):
 * L = E[(h − 1/(2τ))²] with h the policy's log-prob gap less the reference's. A bounded target: unlike DPO's, the gap of
 * a pair that is never contradicted does not grow without end. Gaps are means over an answer's tokens, not sums, as the
 * paper's authors recommend for language models (and TRL computes): `referenceGaps` must be too.
 */
export function ipo({ beta, sftCoef = 0 }: Omit<DpoOptions, 'labelSmoothing'>): Objective<DpoBatch> {
  return pairObjective('ipo', 'mean', sftCoef, ({ g }, policyGaps, referenceGaps) =>
    ipoTerms(g, policyGaps, referenceGaps, beta),
  );
}

/** The loss over mean log-prob gaps [P] of policy and reference; `beta` is the paper's τ. */
export function ipoTerms(g: Graph, policyGaps: Tensor, referenceGaps: Tensor, beta: number) {
  const gaps = sub(g, policyGaps, referenceGaps);
  const off = sub(g, gaps, g.scalar(1 / (2 * beta)));
  return { lossSum: reduceSum(g, mul(g, off, off)), metricSums: marginMetrics(g, scale(g, gaps, beta)) };
}
