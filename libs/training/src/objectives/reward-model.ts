import { add, cast, greater, neg, reduceSum, softplus, sub, type Graph, type Tensor, mul } from '@attune/graph';
import { float32Vector, int64Vector, tokenFeeds } from '../batches/feeds.js';
import type { PairBatch } from '../batches/pair-batch.js';
import type { Objective } from '../step/objective.js';
import { REWARD_HEAD } from '../step/heads.js';

/**
 * Bradley-Terry preference loss, L = −E[log σ(r(x, y_c) − r(x, y_r) − m)] (Ouyang et al. 2022, eq. 1; the margin m is
 * Touvron et al. 2023, Llama 2, eq. 2). The reward is a linear head on the last token's hidden state.
 * `accuracy` is the share of pairs ranked as people ranked them.
 */
export function rewardModel(): Objective<PairBatch> {
  return {
    name: 'reward-model',
    build(model) {
      const hidden = model.hidden();
      const chosen = model.scalar(REWARD_HEAD, model.rows(hidden, 'chosenRows', 'P'));
      const rejected = model.scalar(REWARD_HEAD, model.rows(hidden, 'rejectedRows', 'P'));
      const margins = model.batch('margins', 'float32', ['P']);
      const weights = model.batch('pairWeights', 'float32', ['P']);
      return preferenceTerms(model.g, { chosen, rejected, margins, weights });
    },
    feeds: (batch) => ({
      ...tokenFeeds(batch.tokens),
      chosenRows: int64Vector(batch.chosenRows),
      rejectedRows: int64Vector(batch.rejectedRows),
      margins: float32Vector(batch.margins),
      pairWeights: float32Vector(batch.weights),
    }),
    count: (batch) => batch.weights.reduce((all, weight) => all + weight, 0),
  };
}

/** The loss over scores [P] alone, each pair times its weight. −log σ(z) is softplus(−z), which does not overflow. */
export function preferenceTerms(
  g: Graph,
  { chosen, rejected, margins, weights }: Readonly<Record<'chosen' | 'rejected' | 'margins' | 'weights', Tensor>>,
) {
  const gap = sub(g, chosen, rejected);
  const losses = softplus(g, neg(g, sub(g, gap, margins)));
  const weighted = (x: Tensor) => reduceSum(g, mul(g, x, weights));
  return {
    lossSum: weighted(losses),
    metricSums: {
      accuracy: weighted(cast(g, greater(g, gap, g.scalar(0)), 'float32')),
      margin: weighted(gap),
      reward: mul(g, weighted(add(g, chosen, rejected)), g.scalar(0.5)),
    },
  };
}
