import type { Engine } from '@attune/engine';
import type { Dataset } from '../curation/dataset.js';
import { trainPpo } from './ppo.recipe.js';
import type { Policy } from '../model/policy.js';
import type { RecipeContext } from './recipe-context.js';
import { type RewardModel, trainRewardModel, whyNotTrusted } from './reward-model.recipe.js';
import { trainSft } from './sft.recipe.js';

export interface Candidate {
  readonly policy: Policy;
  /** Null when the job trains none, or there are no preferences. */
  readonly reward: RewardModel | null;
  /** The reward model where held-out pairs speak for it: only then may it judge answers. */
  readonly judge: RewardModel | null;
  /** Stages that ran, in order. */
  readonly objectives: readonly string[];
}

/**
 * The stages a job asks for, in their fixed order: demonstrations, reward model, PPO. A stage without data is left out
 * with a word about it; one that an earlier attempt finished is not run again.
 */
export async function trainCandidate(
  context: RecipeContext,
  engine: Engine,
  start: Policy,
  data: Dataset,
): Promise<Candidate> {
  const { config, state, journal } = context;
  const wanted = new Set<string>(config.stages);
  const objectives: string[] = [];
  const policy: Policy = { ...start, parameters: state.track('policy', start.parameters) };
  if (wanted.has('sft') && data.train.demonstrations.length === 0) {
    journal.warn('SFT is left out: no demonstration (correction, edit or approved thumb up) to train on');
  } else if (wanted.has('sft')) {
    if (!state.isFinished('sft')) await trainSft(context, policy, data.train.demonstrations);
    objectives.push('sft');
  }
  let reward: RewardModel | null = null;
  if (wanted.has('reward') && data.train.preferences.length === 0) {
    journal.warn('The reward model is left out: no preference (choice, correction or edit) to train on');
  } else if (wanted.has('reward')) {
    reward = await trainRewardModel(context, policy, data);
    objectives.push('reward');
  }
  const obstacle =
    reward === null ? 'it needs a reward model' : whyNotTrusted(reward.accuracy, config.reward.min_accuracy);
  if (wanted.has('ppo') && (reward === null || obstacle !== null)) {
    journal.warn(`PPO is skipped: ${obstacle}`);
  } else if (wanted.has('ppo') && reward !== null) {
    const { prompts, demonstrations } = data.train;
    if (!state.isFinished('ppo')) await trainPpo(context, engine, policy, reward, { prompts, demonstrations });
    objectives.push('ppo');
  }
  return { policy, reward, judge: obstacle === null ? reward : null, objectives };
}
