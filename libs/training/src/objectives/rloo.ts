import { float32Vector } from '../batches/feeds.js';
import type { GroupBatch } from '../batches/group-batch.js';
import { sumByAnswer } from '../batches/answer-batch.js';
import type { Objective } from '../step/objective.js';
import { answerSumFeeds, answerSums } from './answer-sums.js';
import { clippedPolicyTerms } from './ppo.js';

/**
 * REINFORCE leave-one-out (Ahmadian et al. 2024, https://arxiv.org/abs/2402.14740, eq. 8): the whole answer is one
 * action, L = −E[min(ρA, clip(ρ, 1 ± ε)A)] with ρ = π(y)/π_old(y). On the first step after sampling ρ is 1 and the
 * gradient is the paper's A ∇log π(y); the clip matters only where one round of rollouts is used for several steps. The
 * KL to the reference belongs into the scores, before the advantages are taken (paper, eq. 3).
 */
export function rloo({ clipRange }: { readonly clipRange: number }): Objective<GroupBatch> {
  return {
    name: 'rloo',
    build(model) {
      const oldLogProbs = model.batch('oldSums', 'float32', ['N']);
      return clippedPolicyTerms(model.g, {
        logProbs: answerSums(model, oldLogProbs),
        oldLogProbs,
        advantages: model.batch('advantages', 'float32', ['N']),
        weights: model.batch('ones', 'float32', ['N']),
        clipRange,
      });
    },
    feeds: ({ answers, oldLogProbs, advantages }) => ({
      ...answerSumFeeds(answers.tokens, { owners: answers.owners, factors: answers.owners.map(() => 1) }),
      oldSums: float32Vector(sumByAnswer(answers, oldLogProbs)),
      advantages: float32Vector(advantages),
      ones: float32Vector(advantages.map(() => 1)),
    }),
    count: ({ advantages }) => advantages.length,
  };
}
