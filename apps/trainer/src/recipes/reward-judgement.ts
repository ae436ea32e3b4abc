import { deriveSeed } from '@attune/platform';
import { calibrationOf, scaleOf, type ScoreScale, type Scorer } from '@attune/training';
import type { Dataset, Preference } from '../curation/dataset.js';
import { type AnswerSequence, answerSequence } from '../model/answer-sequence.js';
import { sequenceScores } from '../model/scoring.js';
import { batchItems } from './data-order.js';
import type { RecipeContext } from './recipe-context.js';

/** Pairs whose scores say where scores lie: mean and deviation need no more, and each costs two forward passes. */
const PAIRS_FOR_SCALE = 256;

/** What is known of a reward model's scores. */
export interface RewardJudgement {
  /** Where its scores of the training pairs lie. */
  readonly scale: ScoreScale;
  /** Share of held-out pairs ranked as people did; null when there are none. */
  readonly accuracy: number | null;
  /** How far its probabilities on those pairs are from what happened (ECE), 0 to 1; null when there are none. */
  readonly calibrationError: number | null;
}

/** Where its scores of the training pairs lie, and how it judges the held-out ones. */
export async function judgementOf(
  context: RecipeContext,
  scorer: Scorer,
  { train, heldout }: Dataset,
): Promise<RewardJudgement> {
  const drawn = pairsForScale(train.preferences, context.config.seed);
  const scale = scaleOf((await scorePairs(context, scorer, drawn)).flat());
  const judged = await scorePairs(context, scorer, heldout.preferences);
  const accuracy = rankingAccuracy(judged);
  const calibration = calibrationOf(judged.map(([chosen, rejected]) => chosen - rejected));
  context.journal.info(`Reward model: ${describeAccuracy(accuracy, judged.length)}`, {
    accuracy,
    calibration,
    ...scale,
  });
  return { scale, accuracy, calibrationError: judged.length > 0 ? calibration.error : null };
}

/** Drawn from all pairs alike, each at most once: they lie in the order of their age, and file pairs behind the rest. */
export function pairsForScale<Pair>(pairs: readonly Pair[], seed: number): Pair[] {
  const count = Math.min(pairs.length, PAIRS_FOR_SCALE);
  return batchItems(deriveSeed(seed, 'scale'), pairs.length, count, 0).map((i) => pairs[i]!);
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
