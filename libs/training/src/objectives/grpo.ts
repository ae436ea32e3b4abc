import { add, type Graph, mul, reduceSum, scale, type Tensor } from '@attune/graph';
import { float32Vector, tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import type { GroupBatch } from '../batches/group-batch.js';
import type { Objective } from '../step/objective.js';
import { clippedPolicyTerms, klEstimate } from './ppo.js';

export interface GrpoOptions {
  /** ε of the clipped surrogate. */
  readonly clipRange: number;
  /** β, the price of a nat away from the reference, inside the loss. */
  readonly klCoef: number;
}

/**
 * Group-relative policy optimisation (Shao et al. 2024, https://arxiv.org/abs/2402.03300, eq. 3):
 * L = −1/G Σᵢ 1/|oᵢ| Σₜ (min(ρA, clip(ρ, 1 ± ε)A) − β KL(π‖ref)). No value head: the advantage of every token is its
 * answer's, measured against the other answers to the same prompt. Each answer counts the same, however long.
 */
export function grpo(options: GrpoOptions): Objective<GroupBatch> {
  return {
    name: 'grpo',
    build(model) {
      const rows = model.countedRows(model.hidden());
      const perToken = (name: string) => model.batch(name, 'float32', ['R']);
      return grpoTerms(model.g, {
        logProbs: model.labelLogProbs(rows, model.batch('labels', 'int64', ['R'])),
        oldLogProbs: perToken('oldLogProbs'),
        referenceLogProbs: perToken('referenceLogProbs'),
        advantages: perToken('advantages'),
        weights: perToken('tokenShares'),
        ...options,
      });
    },
    feeds({ answers, oldLogProbs, referenceLogProbs, advantages }) {
      const { rows, labels } = weightedRowFeeds(answers.tokens);
      return {
        ...tokenFeeds(answers.tokens),
        rows: rows!,
        labels: labels!,
        oldLogProbs: float32Vector(oldLogProbs),
        referenceLogProbs: float32Vector(referenceLogProbs),
        advantages: float32Vector(answers.owners.map((row) => advantages[row]!)),
        tokenShares: float32Vector(answers.owners.map((row) => 1 / answers.lengths[row]!)),
      };
    },
    count: ({ advantages }) => advantages.length,
  };
}

/** The loss over answer tokens [R]; `weights` are 1/|oᵢ|, so that the sum is over answers. */
export function grpoTerms(
  g: Graph,
  input: Readonly<Record<'logProbs' | 'oldLogProbs' | 'referenceLogProbs' | 'advantages' | 'weights', Tensor>> &
    GrpoOptions,
) {
  const policy = clippedPolicyTerms(g, input);
  const kl = reduceSum(g, mul(g, klEstimate(g, input.logProbs, input.referenceLogProbs), input.weights));
  return {
    lossSum: input.klCoef === 0 ? policy.lossSum : add(g, policy.lossSum, scale(g, kl, input.klCoef)),
    metricSums: { ...policy.metricSums, kl },
  };
}
