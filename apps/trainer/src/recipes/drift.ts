import type { Engine } from '@attune/engine';
import type { ChatMessage } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import type { Scorer } from '@attune/training';
import { promptIds } from '../model/answer-sequence.js';
import type { Policy } from '../model/policy.js';
import { batchItems } from './data-order.js';
import { klOfRollouts, samplePolicy } from './policy-rollouts.js';
import type { RecipeContext } from './recipe-context.js';

/** Before every so many steps answers are sampled by methods that do not sample to train; and after the last one. */
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
 * policy can leave the reference while they fall. `stop` once the budget is spent; null before steps that measure nothing.
 * Sampling may be aborted (a pause, people who are served): ask before the step changes the policy, or the step, which
 * is not yet written down, is done again on resuming.
 */
export async function measureDrift(
  context: RecipeContext,
  engine: Engine,
  plan: DriftPlan,
  step: number,
): Promise<{ kl: number; stop: string | undefined } | null> {
  if (step === 0 || step % EVERY_STEPS !== 0 || plan.prompts.length === 0) return null;
  const kl = await driftAt(context, engine, plan, step);
  return { kl, stop: kl > plan.budget ? budgetSpent(kl, plan.budget) : undefined };
}

/**
 * The same of a policy that has made all of its steps, written down with the last one: what that one did counts too, and
 * a short stage is held to its budget like any other. What is over the budget here is left to the gate.
 */
export async function measureFinalDrift(context: RecipeContext, engine: Engine, plan: DriftPlan): Promise<void> {
  const { state, journal } = context;
  const { stage, numSteps, prompts, budget } = plan;
  if (state.firstStep(stage) < numSteps || prompts.length === 0) return;
  const kl = await driftAt(context, engine, plan, numSteps);
  journal.step(stage, numSteps - 1, { kl });
  if (kl > budget) journal.warn(`${stage} went beyond its budget: ${budgetSpent(kl, budget)}`);
}

async function driftAt(context: RecipeContext, engine: Engine, plan: DriftPlan, step: number): Promise<number> {
  const { stage, prompts, policy, reference } = plan;
  const seed = deriveSeed(context.config.seed, stage, 'drift');
  const chosen = batchItems(seed, prompts.length, NUM_ANSWERS, step);
  const rollouts = await samplePolicy(context, engine, policy, {
    name: `${stage}-drift-${step}`,
    prompts: chosen.map((i) => promptIds(context.model.tokenizer, prompts[i]!)),
    maxAnswerTokens: DRIFT_ANSWER_TOKENS,
    seed: deriveSeed(seed, step),
  });
  return klOfRollouts(rollouts, reference);
}

/** Why a stage ends before its last step. */
export const budgetSpent = (kl: number, budget: number): string =>
  `answers are ${kl.toFixed(1)} nats from the reference on average, the budget is ${budget}`;
