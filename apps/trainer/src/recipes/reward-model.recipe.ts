import { createRandom, deriveSeed } from '@attune/platform';
import {
  AdamW,
  copyParameters,
  cosine,
  initialRewardHead,
  pairBatch,
  type ParameterSet,
  type PreferencePair,
  rewardModel,
  scaleOf,
  type ScoreScale,
  Scorer,
  TrainStep,
} from '@attune/training';
import type { Dataset, Preference } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import { type AnswerSequence, answerSequence } from '../model/answer-sequence.js';
import { sequenceScores } from '../model/scoring.js';
import { batchItems, numSteps } from './data-order.js';
import { type Policy, type RecipeContext, scaleOfAdapter } from './recipe-context.js';

const STAGE = 'reward';
const WARMUP_SHARE = 0.1;

/** A trained reward model: an adapter and a head of its own over the same base weights. */
export interface RewardModel {
  readonly parameters: ParameterSet;
  readonly scorer: Scorer;
  /** Where its scores of the training pairs lie. */
  readonly scale: ScoreScale;
  /** Share of held-out pairs ranked as people did; null when there are none. */
  readonly accuracy: number | null;
}

/**
 * The reward model (Ouyang et al. 2022, step 2): the policy as it is after SFT with a scalar head, trained on pairs of
 * a better and a worse answer.
 */
export async function trainRewardModel(context: RecipeContext, start: Policy, data: Dataset): Promise<RewardModel> {
  const { config, model, state, journal } = context;
  const random = createRandom(deriveSeed(config.seed, 'reward-head'));
  const initial = new Map([...copyParameters(start.parameters), ...initialRewardHead(model.config, random)]);
  const parameters = state.track('reward', initial);
  if (!state.isFinished(STAGE)) {
    await trainOnPairs(context, start, parameters, data.train.preferences);
    await state.finish(STAGE);
  }
  const scorer = new Scorer({
    config: model.config,
    parameters: new Map([...model.parameters, ...parameters]),
    adapterScale: scaleOfAdapter(start),
    runtime: model.runtime,
    threads: model.threads,
  });
  const scale = scaleOf((await scorePairs(context, scorer, data.train.preferences)).flat());
  const heldout = await scorePairs(context, scorer, data.heldout.preferences);
  const accuracy = rankingAccuracy(heldout);
  journal.info(`Reward model: ${describeAccuracy(accuracy, heldout.length)}`, { accuracy, ...scale });
  return { parameters, scorer, scale, accuracy };
}

/** Whether PPO may trust this reward model; a sentence when it may not. */
export function whyNotTrusted(accuracy: number | null, minimum: number): string | null {
  if (accuracy === null) return 'no held-out preference tells how good the reward model is';
  if (accuracy >= minimum) return null;
  return `the reward model ranks ${(accuracy * 100).toFixed(0)} % of held-out pairs right; ${(minimum * 100).toFixed(0)} % are asked for`;
}

/** Share of pairs whose first score is the higher one; a tie is half right. Null without pairs. */
export function rankingAccuracy(pairs: readonly (readonly [chosen: number, rejected: number])[]): number | null {
  if (pairs.length === 0) return null;
  const right = pairs.reduce(
    (sum, [chosen, rejected]) => sum + (chosen > rejected ? 1 : chosen === rejected ? 0.5 : 0),
    0,
  );
  return right / pairs.length;
}

async function trainOnPairs(
  context: RecipeContext,
  start: Policy,
  parameters: ParameterSet,
  preferences: readonly Preference[],
): Promise<void> {
  const { config, model, state, journal } = context;
  const { batch_size: batchSize, epochs, max_steps: maxSteps, learning_rate: peak } = config.reward;
  const pairs = preferences.map((preference) => toPair(context, preference));
  const totalSteps = numSteps(pairs.length, batchSize, epochs, maxSteps);
  const schedule = cosine({ peak, warmupSteps: Math.ceil(totalSteps * WARMUP_SHARE), totalSteps });
  journal.info(`Reward model: ${pairs.length} preferences, ${totalSteps} steps of ${batchSize} pairs`);
  const step = await TrainStep.create({
    config: model.config,
    objective: rewardModel(),
    trainable: parameters,
    frozen: model.parameters,
    adapterScale: scaleOfAdapter(start),
    optimizer: state.trackOptimizer('reward-optimizer', new AdamW({ weightDecay: 0 })),
    clipNorm: 1,
    runtime: model.runtime,
    threads: model.threads,
  });
  const seed = deriveSeed(config.seed, STAGE);
  try {
    await runStage(context, STAGE, totalSteps, async (n) => {
      const batch = pairBatch(batchItems(seed, pairs.length, batchSize, n).map((i) => pairs[i]!));
      const { loss, gradNorm, metrics } = await step.run([batch], schedule(n));
      return { values: { loss, grad_norm: gradNorm, lr: schedule(n), ...metrics } };
    });
  } finally {
    step.release();
  }
}

function toPair({ model }: RecipeContext, { prompt, chosen, rejected }: Preference): PreferencePair {
  const better = answerSequence(model.tokenizer, prompt, chosen);
  const worse = answerSequence(model.tokenizer, prompt, rejected);
  return { chosen: better.ids, rejected: worse.ids, promptLength: better.answerStart };
}

async function scorePairs(
  { model }: RecipeContext,
  scorer: Scorer,
  preferences: readonly Preference[],
): Promise<[number, number][]> {
  const sequences = preferences.flatMap(({ prompt, chosen, rejected }): AnswerSequence[] => [
    answerSequence(model.tokenizer, prompt, chosen),
    answerSequence(model.tokenizer, prompt, rejected),
  ]);
  const scores = await sequenceScores(scorer, sequences);
  return preferences.map((_, i) => [scores[2 * i]!, scores[2 * i + 1]!]);
}

function describeAccuracy(accuracy: number | null, numPairs: number): string {
  if (accuracy === null) return 'no held-out pair to measure it on';
  return `ranks ${(accuracy * 100).toFixed(0)} % of ${numPairs} held-out pairs as people did`;
}
