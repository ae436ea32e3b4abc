import type { Engine } from '@attune/engine';
import { deriveSeed } from '@attune/platform';
import {
  type Answer,
  answerBatch,
  cosine,
  holding,
  kto,
  type KtoBatch,
  ktoReferencePoint,
  mismatchedAnswers,
  type Scorer,
  type WeightedSequence,
} from '@attune/training';
import type { DatasetSide, Thumb } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import { answerSequence } from '../model/answer-sequence.js';
import { freePositions, type Policy, scorerOver } from '../model/policy.js';
import { answerLogProbs } from '../model/scoring.js';
import { batchItems, numSteps } from './data-order.js';
import { measureDrift, measureFinalDrift } from './drift.js';
import { countStepTokens, figuresOf, sum } from './figures.js';
import { microBatches, partOf } from './micro-batches.js';
import type { RecipeContext } from './recipe-context.js';
import { frozenReference } from './reference.js';
import { replayedBeside } from './replay.js';
import { openStageStep } from './stage-step.js';

const STAGE = 'kto';
const WARMUP_SHARE = 0.1;

interface ThumbedAnswer extends Answer {
  readonly liked: boolean;
  /** Σ log ref over the answer. */
  readonly referenceSum: number;
}

/**
 * Kahneman-Tversky optimisation (Ethayarajh et al. 2024): thumbs, which have no pair, train the policy. Every preference
 * counts as a liked and a disliked answer, as the paper does with paired data; general tasks are replayed beside them.
 */
export async function trainKto(
  context: RecipeContext,
  engine: Engine,
  policy: Policy,
  side: Pick<DatasetSide, 'thumbs' | 'preferences' | 'prompts'>,
): Promise<void> {
  const { config, model, state, journal } = context;
  const { beta, batch_size: batchSize, epochs, max_steps: maxSteps, learning_rate: peak, kl_budget } = config.kto;
  const thumbs = allThumbs(side);
  const weights = balancedWeights(thumbs, config.kto);
  const totalSteps = numSteps(thumbs.length, batchSize, epochs, maxSteps);
  const schedule = cosine({ peak, warmupSteps: Math.ceil(totalSteps * WARMUP_SHARE), totalSteps });
  journal.info(
    `KTO: ${thumbs.length} thumbs, ${thumbs.filter(({ liked }) => liked).length} of them up; ${totalSteps} steps of ${batchSize}`,
  );
  const reference = frozenReference(context, STAGE, policy);
  const current = scorerOver(model, policy.form, policy.parameters);
  await holding([reference, current], async () => {
    const answers = await withReference(context, reference, thumbs);
    const step = await openStageStep(context, {
      stage: STAGE,
      form: policy.form,
      objective: kto({ beta, sftCoef: config.kto.sft_coef, ...weights }),
      trainable: policy.parameters,
    });
    const seed = deriveSeed(config.seed, STAGE);
    const positions = freePositions(model.config, policy.form);
    const drift = { stage: STAGE, policy, reference, prompts: side.prompts, budget: kl_budget, numSteps: totalSteps };
    await holding([step], async () => {
      await runStage(context, STAGE, totalSteps, async (n) => {
        const chosen = batchItems(seed, answers.length, batchSize, n).map((i) => answers[i]!);
        const point = await referencePoint(chosen, current, reference, positions);
        const tasks = replayedBeside(context, { coef: config.kto.replay_coef, seed, step: n, numItems: batchSize });
        const parts = microBatches(chosen, config.micro_batch);
        const batches = parts.map((part, i) => toBatch(part, point, partOf(tasks, i, parts.length)));
        const moved = await measureDrift(context, engine, drift, n);
        const result = await step.run(batches, schedule(n));
        const tokens = countStepTokens(
          batches.map((one) => one.answers.tokens),
          tasks,
        );
        const values = { ...figuresOf(result), reference_point: point, lr: schedule(n), tokens };
        return { values: moved ? { ...values, kl: moved.kl } : values, stop: moved?.stop };
      });
      await measureFinalDrift(context, engine, drift);
      await state.finish(STAGE);
    });
  });
}

/** Thumbs as given, and every preference as two of them. */
export function allThumbs({ thumbs, preferences }: Pick<DatasetSide, 'thumbs' | 'preferences'>): Thumb[] {
  const judged = preferences.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, answer: chosen, liked: true },
    { prompt, answer: rejected, liked: false },
  ]);
  return [...thumbs, ...judged];
}

/** λ_D and λ_U, the rarer kind weighed up until both weigh the same (paper, eq. 9: from 1 to 4/3 of each other). */
export function balancedWeights(
  thumbs: readonly Pick<Thumb, 'liked'>[],
  { desirable_weight: desirable, undesirable_weight: undesirable }: RecipeContext['config']['kto'],
): { desirableWeight: number; undesirableWeight: number } {
  const numLiked = thumbs.filter(({ liked }) => liked).length;
  const numDisliked = thumbs.length - numLiked;
  if (numLiked === 0 || numDisliked === 0) return { desirableWeight: desirable, undesirableWeight: undesirable };
  return {
    desirableWeight: desirable * Math.max(1, numDisliked / numLiked),
    undesirableWeight: undesirable * Math.max(1, numLiked / numDisliked),
  };
}

async function withReference(
  { model }: RecipeContext,
  reference: Scorer,
  thumbs: readonly Thumb[],
): Promise<ThumbedAnswer[]> {
  const sequences = thumbs.map(({ prompt, answer }) => answerSequence(model.tokenizer, prompt, answer));
  const answers = sequences.map(({ ids, answerStart }): Answer => ({ ids, promptLength: answerStart }));
  const sums = await logProbSums(answers, reference);
  return answers.map((answer, i) => ({ ...answer, liked: thumbs[i]!.liked, referenceSum: sums[i]! }));
}

/** z₀, from the batch's answers put behind one another's prompts; no gradient flows through it. */
async function referencePoint(
  answers: readonly Answer[],
  policy: Scorer,
  reference: Scorer,
  positions: number,
): Promise<number> {
  const mismatched = mismatchedWithin(positions, answers);
  return ktoReferencePoint(await logProbSums(mismatched, policy), await logProbSums(mismatched, reference));
}

/** Cut where the model's positions end: the longest answer behind the longest prompt is longer than any row. */
export const mismatchedWithin = (positions: number, answers: readonly Answer[]): Answer[] =>
  mismatchedAnswers(answers).map(({ ids, promptLength }) => ({ ids: ids.slice(0, positions), promptLength }));

async function logProbSums(answers: readonly Answer[], scorer: Scorer): Promise<number[]> {
  const sequences = answers.map(({ ids, promptLength }) => ({ ids, answerStart: promptLength }));
  return (await answerLogProbs(scorer, sequences)).map((logProbs) => sum([...logProbs]));
}

const toBatch = (
  answers: readonly ThumbedAnswer[],
  point: number,
  replayed: readonly WeightedSequence[],
): KtoBatch => ({
  replayed,
  answers: answerBatch(answers),
  desirable: answers.map(({ liked }) => liked),
  referenceLogProbs: answers.map(({ referenceSum }) => referenceSum),
  referencePoint: point,
});
