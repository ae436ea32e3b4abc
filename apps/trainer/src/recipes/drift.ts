import type { Engine } from '@attune/engine';
import type { ChatMessage } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import type { Scorer } from '@attune/training';
import { promptIds } from '../model/answer-sequence.js';
import type { Policy } from '../model/policy.js';
import { batchItems } from './data-order.js';
import { klOfRollouts, samplePolicy } from './policy-rollouts.js';
import type { RecipeContext } from './recipe-context.js';

/** So often answers are sampled by methods that do not sample to train, and before the last step of a stage. */
const EVERY_STEPS = 20;
const NUM_ANSWERS = 16;
export const DRIFT_ANSWER_TOKENS = 48;

export interface DriftPlan {
  readonly stage: string;
  readonly policy: Policy;
  readonly reference: Scorer;
  readonly prompts: readonly (readonly ChatMessage[])[];
  readonly budget: number;
  readonly numSteps: number;
}

/**
 * How far an offline method (DPO, KTO) has moved the policy: their losses see the answers of the dataset alone, and a
 * policy can leave the reference while they fall. `stop` once the budget is spent; null on steps that measure nothing.
 * Sampling may be aborted (a pause, people who are served): ask before the step changes the policy, or the step, which
 * is not yet written down, is done again on resuming.
 */
export async function measureDrift(
  context: RecipeContext,
  engine: Engine,
  plan: DriftPlan,
  step: number,
): Promise<{ kl: number; stop: string | undefined } | null> {
  if (!isMeasured(step, plan.numSteps) || plan.prompts.length === 0) return null;
  const seed = deriveSeed(context.config.seed, plan.stage, 'drift');
  const chosen = batchItems(seed, plan.prompts.length, NUM_ANSWERS, step);
  const rollouts = await samplePolicy(context, engine, plan.policy, {
    name: `${plan.stage}-drift-${step}`,
    prompts: chosen.map((i) => promptIds(context.model.tokenizer, plan.prompts[i]!)),
    maxAnswerTokens: DRIFT_ANSWER_TOKENS,
    seed: deriveSeed(seed, step),
  });
  const kl = await klOfRollouts(rollouts, plan.reference);
  return { kl, stop: kl > plan.budget ? budgetSpent(kl, plan.budget) : undefined };
}

/** Every so many steps, and at the last one: a short stage is held to its budget too. */
export const isMeasured = (step: number, numSteps: number): boolean =>
  (step + 1) % EVERY_STEPS === 0 || step + 1 === numSteps;

/** Why a stage ends before its last step. */
export const budgetSpent = (kl: number, budget: number): string =>
  `answers are ${kl.toFixed(1)} nats from the reference on average, the budget is ${budget}`;
