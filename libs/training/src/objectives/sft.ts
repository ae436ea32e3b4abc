import { mul, neg, reduceSum } from '@attune/graph';
import { tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import { type TokenBatch, totalWeight } from '../batches/token-batch.js';
import type { Objective } from '../step/objective.js';

/**
 * Supervised fine-tuning (and pretraining): weighted next-token cross-entropy, L = −Σ wₜ log π(xₜ₊₁ | x≤ₜ) / Σ wₜ.
 * With weight 1 on the answer's tokens and 0 on the prompt's it is InstructGPT's SFT loss (Ouyang et al. 2022, 3.5).
 */
export function sft(): Objective<TokenBatch> {
  return {
    name: 'sft',
    build(model) {
      const hidden = model.countedRows(model.hidden());
      const logProbs = model.labelLogProbs(hidden, model.batch('labels', 'int64', ['R']));
      const weighted = mul(model.g, logProbs, model.batch('weights', 'float32', ['R']));
      return { lossSum: neg(model.g, reduceSum(model.g, weighted)) };
    },
    feeds: (batch) => ({ ...tokenFeeds(batch), ...weightedRowFeeds(batch) }),
    count: totalWeight,
  };
}
