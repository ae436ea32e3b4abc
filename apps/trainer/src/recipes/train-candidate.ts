import type { Engine } from '@attune/engine';
import { holding } from '@attune/training';
import type { Dataset } from '../curation/dataset.js';
import type { Policy } from '../model/policy.js';
import { trainDpo } from './dpo.recipe.js';
import { trainGrpo } from './grpo.recipe.js';
import { allThumbs, trainKto } from './kto.recipe.js';
import { trainPpo } from './ppo.recipe.js';
import type { RecipeContext } from './recipe-context.js';
import { whyNotTrusted } from './reward-judgement.js';
import { type RewardModel, trainRewardModel } from './reward-model.recipe.js';
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
 * The stages a job asks for, in their fixed order: demonstrations, reward model, then what learns from preferences,
 * thumbs, the reward model and graders. A stage without data is left out with a word about it; one that an earlier
 * attempt finished is not run again.
 */
export async function trainCandidate(
  context: RecipeContext,
  engine: Engine,
  start: Policy,
  data: Dataset,
): Promise<Candidate> {
  const { config, state, journal } = context;
  const { train } = data;
  const wanted = new Set<string>(config.stages);
  const objectives: string[] = [];
  const policy: Policy = { ...start, parameters: state.track('policy', start.parameters) };
  let reward: RewardModel | null = null;

  const stage = async (name: string, obstacle: string | null, run: () => Promise<void>) => {
    if (!wanted.has(name)) return;
    if (obstacle !== null) return journal.warn(obstacle);
    if (!state.isFinished(name)) await run();
    objectives.push(name);
  };

  await stage(
    'sft',
    train.demonstrations.length > 0
      ? null
      : 'SFT is left out: no demonstration (correction, edit or approved thumb up) to train on',
    () => trainSft(context, policy, train.demonstrations),
  );
  if (wanted.has('reward') && train.preferences.length === 0) {
    journal.warn('The reward model is left out: no preference (choice, correction or edit) to train on');
  } else if (wanted.has('reward')) {
    // Also when it is finished: the later stages and the gate need its scores.
    reward = await trainRewardModel(context, policy, data);
    objectives.push('reward');
  }
  const distrust =
    reward === null ? 'it needs a reward model' : whyNotTrusted(reward.accuracy, config.reward.min_accuracy);
  try {
    await stage(
      'dpo',
      train.preferences.length > 0 ? null : 'DPO is left out: no preference (choice, correction or edit) to train on',
      () => trainDpo(context, engine, policy, train),
    );
    await stage('kto', whyNoThumbs(allThumbs(train).map(({ liked }) => liked)), () =>
      trainKto(context, engine, policy, train),
    );
    await stage('ppo', distrust === null ? null : `PPO is skipped: ${distrust}`, () =>
      trainPpo(context, engine, policy, reward!, train),
    );
    await stage('grpo', null, () => trainGrpo(context, engine, policy, train));
  } catch (error) {
    // Whoever gets no candidate cannot release its reward model.
    return holding(reward ? [reward.scorer] : [], () => Promise.reject(error as Error));
  }
  return { policy, reward, judge: distrust === null ? reward : null, objectives };
}

/** Only both verdicts together say what people like: with one of them a policy learns to say more, or less, of everything. */
function whyNoThumbs(verdicts: readonly boolean[]): string | null {
  if (verdicts.length < 2) return 'KTO is left out: fewer than two judged answers to train on';
  if (verdicts.every((liked) => liked)) return 'KTO is left out: nobody disliked an answer';
  return verdicts.some((liked) => liked) ? null : 'KTO is left out: nobody liked an answer';
}
