import {
  episodeReward,
  explainedVariance,
  generalisedAdvantages,
  type Rollout,
  type ScoredRollout,
  standardized,
  whiten,
} from '@attune/training';
import { answerLogProbs, answerValues, sequenceScores } from '../model/scoring.js';
import { mean } from './figures.js';
import { toSequence } from './policy-rollouts.js';
import type { PpoRoles } from './ppo-roles.js';
import type { RecipeContext } from './recipe-context.js';
import type { RewardModel } from './reward-model.recipe.js';

/** Rewards, values and advantages of the rollouts, and what there is to tell about them. */
export async function scoreRollouts(
  { config }: Pick<RecipeContext, 'config'>,
  roles: PpoRoles,
  reward: RewardModel,
  rollouts: readonly Rollout[],
  klCoef: number,
) {
  const settings = config.ppo;
  const sequences = rollouts.map(toSequence);
  const scores = (await sequenceScores(reward.scorer, sequences)).map((score) => standardized(score, reward.scale));
  const references = await answerLogProbs(roles.reference, sequences);
  const values = await answerValues(roles.policy, sequences);
  const recomputed = await answerLogProbs(roles.policy, sequences);
  const episodes = rollouts.map(({ logProbs, ended }, i) =>
    episodeReward(
      { logProbs, ended, referenceLogProbs: references[i]!, score: scores[i]! },
      klCoef,
      settings.missing_eos_penalty,
    ),
  );
  const estimated = episodes.map(({ perToken }, i) =>
    generalisedAdvantages(perToken, values[i]!, { gamma: settings.gamma, lambda: settings.gae_lambda }),
  );
  const advantages = whiten(estimated.map((one) => one.advantages));
  const returns = estimated.map((one) => one.returns);
  return {
    rollouts: rollouts.map(({ promptIds: prompt, answerIds, logProbs }, i): ScoredRollout => ({
      promptIds: prompt,
      answerIds,
      oldLogProbs: logProbs,
      referenceLogProbs: references[i]!,
      oldValues: values[i]!,
      advantages: advantages[i]!,
      returns: returns[i]!,
    })),
    figures: {
      reward_mean: mean(scores),
      kl: mean(episodes.map(({ kl }) => kl)),
      tokens: rollouts.reduce((sum, { promptIds: prompt, answerIds }) => sum + prompt.length + answerIds.length, 0),
      answer_tokens: mean(rollouts.map(({ answerIds }) => answerIds.length)),
      ended_share: mean(rollouts.map(({ ended }) => Number(ended))),
      explained_variance: explainedVariance(values, returns),
      // Serving and training must agree on what was sampled: the largest difference in log-prob of any token.
      log_prob_gap: largestGap(rollouts, recomputed),
    },
  };
}

function largestGap(rollouts: readonly Rollout[], recomputed: readonly Float32Array[]): number {
  const gaps = rollouts.flatMap(({ logProbs }, i) =>
    logProbs.map((logProb, t) => Math.abs(logProb - recomputed[i]![t]!)),
  );
  return gaps.reduce((largest, gap) => Math.max(largest, gap), 0);
}
