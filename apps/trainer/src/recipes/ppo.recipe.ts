import type { Engine } from '@attune/engine';
import type { ChatMessage } from '@attune/contracts';
import { createRandom, deriveSeed } from '@attune/platform';
import {
  holding,
  nextKlCoef,
  ppoBatch,
  type ScoredRollout,
  type StepResult,
  type WeightedSequence,
} from '@attune/training';
import type { Demonstration } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import { answerSequence, promptIds, toWeighted } from '../model/answer-sequence.js';
import type { Policy } from '../model/policy.js';
import { batchItems } from './data-order.js';
import { meanFigures } from './figures.js';
import { samplePolicy } from './policy-rollouts.js';
import { createRoles, type PpoRoles } from './ppo-roles.js';
import { scoreRollouts } from './ppo-scoring.js';
import type { RecipeContext } from './recipe-context.js';
import { replayed } from './replay.js';
import type { RewardModel } from './reward-model.recipe.js';
import { Stopwatch } from './stopwatch.js';
import { withinBudget } from './within-budget.js';

const STAGE = 'ppo';
/** Where a β that is steered towards a target is kept between iterations. */
const KL_COEF = 'ppo_kl_coef';

export interface PpoData {
  readonly prompts: readonly (readonly ChatMessage[])[];
  /** Mixed into every update (ptx) together with replayed tasks. */
  readonly demonstrations: readonly Demonstration[];
}

/**
 * PPO (Ouyang et al. 2022, step 3): sample with the weights as they would be served, score with the reward model, pay
 * for the distance to the reference, update within a clip, and mix supervised batches in against forgetting. Policy,
 * value head, reference and reward model are adapters and heads over one copy of the base weights.
 */
export async function trainPpo(
  context: RecipeContext,
  engine: Engine,
  policy: Policy,
  reward: RewardModel,
  data: PpoData,
): Promise<void> {
  const { config, model, state, journal } = context;
  const settings = config.ppo;
  const seed = deriveSeed(config.seed, STAGE);
  const prompts = data.prompts.map((prompt) => promptIds(model.tokenizer, prompt));
  const ptx = data.demonstrations.map(({ prompt, answer }) =>
    toWeighted(answerSequence(model.tokenizer, prompt, answer)),
  );
  const roles = await createRoles(context, STAGE, policy);
  journal.info(
    `PPO: ${settings.iterations} iterations of ${settings.rollouts_per_iteration} answers to ${prompts.length} prompts`,
  );
  const budget = withinBudget(context, STAGE, policy, settings.kl_budget);
  await holding([roles], async () => {
    await runStage(context, STAGE, settings.iterations, async (n) => {
      const watch = new Stopwatch(context.clock);
      const chosen = batchItems(seed, prompts.length, settings.rollouts_per_iteration, n);
      const plan = {
        name: `ppo-${n}`,
        prompts: chosen.map((i) => prompts[i]!),
        maxAnswerTokens: settings.max_answer_tokens,
        seed: deriveSeed(config.seed, 'rollout', n),
      };
      const rollouts = await watch.time('sampling_seconds', () => samplePolicy(context, engine, policy, plan));
      const klCoef = state.cursor.figures[KL_COEF] ?? settings.kl_coef;
      const score = () => scoreRollouts(context, roles, reward, rollouts, klCoef);
      const scored = await watch.time('scoring_seconds', score);
      const stop = await budget.keepOrGoBack(scored.figures.kl);
      if (stop !== undefined) return { values: { ...scored.figures, kl_coef: klCoef, ...watch.seconds }, stop };
      const learn = () => state.change(() => update(context, roles.step, scored.rollouts, ptx, n));
      const updates = await watch.time('update_seconds', learn);
      if (settings.kl_target !== null)
        state.note({ [KL_COEF]: nextKlCoef(klCoef, scored.figures.kl, { target: settings.kl_target }) });
      const values = {
        ...scored.figures,
        ...meanFigures(updates),
        kl_coef: klCoef,
        first_ratio: updates[0]!.metrics['ratio']!,
        ...watch.seconds,
      };
      return { values };
    });
    await state.finish(STAGE);
  });
}

/** Several passes over the rollouts in minibatches, each with as many supervised sequences beside them. */
async function update(
  context: RecipeContext,
  step: PpoRoles['step'],
  rollouts: readonly ScoredRollout[],
  ptx: readonly WeightedSequence[],
  iteration: number,
): Promise<StepResult[]> {
  const { ppo_epochs: numEpochs, minibatches, learning_rate: rate, ptx_coef: ptxCoef } = context.config.ppo;
  const seed = deriveSeed(context.config.seed, 'ppo-update', iteration);
  const size = Math.ceil(rollouts.length / minibatches);
  const results: StepResult[] = [];
  for (let epoch = 0; epoch < numEpochs; epoch++) {
    const order = createRandom(deriveSeed(seed, epoch)).shuffle(rollouts);
    for (let start = 0; start < order.length; start += size) {
      const part = order.slice(start, start + size);
      const mixed = ptxCoef > 0 ? supervised(context, ptx, part.length, deriveSeed(seed, epoch, start)) : [];
      results.push(await step.run([ppoBatch(part, mixed)], rate));
    }
  }
  return results;
}

/** Half demonstrations, half replayed tasks; only tasks when there are no demonstrations. */
function supervised(
  context: RecipeContext,
  demonstrations: readonly WeightedSequence[],
  count: number,
  seed: number,
): WeightedSequence[] {
  const numDemonstrated = demonstrations.length > 0 ? Math.ceil(count / 2) : 0;
  const drawn = numDemonstrated > 0 ? batchItems(seed, demonstrations.length, numDemonstrated, 0) : [];
  return [...drawn.map((i) => demonstrations[i]!), ...replayed(context, seed, 0, count - numDemonstrated)];
}
