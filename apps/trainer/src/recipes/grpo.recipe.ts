import type { Engine } from '@attune/engine';
import type { TuningJobConfig } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import {
  groupBatch,
  type GroupedRollout,
  groupRelativeAdvantages,
  grpo,
  holding,
  leaveOneOutAdvantages,
  rloo,
  type Rollout,
  type Scorer,
  type StepResult,
  type TrainingStep,
} from '@attune/training';
import type { DatasetSide } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import { promptIds } from '../model/answer-sequence.js';
import type { Policy } from '../model/policy.js';
import { answerLogProbs } from '../model/scoring.js';
import { mean, meanFigures } from './figures.js';
import { type GradedPrompt, promptSource, type PromptSource } from './graders.js';
import { microBatches } from './micro-batches.js';
import { samplePolicy, toSequence } from './policy-rollouts.js';
import type { RecipeContext } from './recipe-context.js';
import { frozenReference } from './reference.js';
import { openStageStep } from './stage-step.js';
import { withinBudget } from './within-budget.js';

const STAGE = 'grpo';

/**
 * Group-relative policy optimisation (Shao et al. 2024) or REINFORCE leave-one-out (Ahmadian et al. 2024), where a program
 * can tell a right answer: several answers to each prompt, each measured against the others. No reward model, no value
 * head.
 */
export async function trainGrpo(
  context: RecipeContext,
  engine: Engine,
  policy: Policy,
  side: Pick<DatasetSide, 'prompts' | 'graded'>,
): Promise<void> {
  const { config, model, state, journal } = context;
  const settings = config.grpo;
  const promptsOf = gradedPrompts(config, side);
  journal.info(
    `${settings.advantage.toUpperCase()}: ${settings.iterations} iterations of ${settings.prompts_per_iteration} prompts, ` +
      `${settings.group_size} answers each, graded by ${settings.grader.kind}`,
  );
  const reference = frozenReference(context, STAGE, policy);
  const step = await openStageStep(context, {
    stage: STAGE,
    form: policy.form,
    objective:
      settings.advantage === 'grpo'
        ? grpo({ clipRange: settings.clip_range, klCoef: settings.kl_coef })
        : rloo({ clipRange: settings.clip_range }),
    trainable: policy.parameters,
  });
  const budget = withinBudget(context, STAGE, policy, settings.kl_budget);
  await holding([step, reference], async () => {
    await runStage(context, STAGE, settings.iterations, async (n) => {
      const graded = promptsOf(n, settings.prompts_per_iteration).flatMap((one) =>
        Array<GradedPrompt>(settings.group_size).fill(one),
      );
      const rollouts = await samplePolicy(context, engine, policy, {
        name: `grpo-${n}`,
        prompts: graded.map(({ messages }) => promptIds(model.tokenizer, messages)),
        maxAnswerTokens: settings.max_answer_tokens,
        seed: deriveSeed(config.seed, 'grpo-rollout', n),
      });
      const { scored, figures } = await scoreGroups(context, reference, graded, rollouts);
      const stop = await budget.keepOrGoBack(figures.kl);
      if (stop !== undefined) return { values: figures, stop };
      const parts = microBatches(scored, Math.ceil(scored.length / settings.minibatches));
      const results = await state.change(() =>
        updateAll(
          step,
          parts.map((part) => microBatches(part, config.micro_batch).map(groupBatch)),
          settings.learning_rate,
        ),
      );
      return { values: { ...meanFigures(results), ...figures, first_ratio: results[0]!.metrics['ratio']! } };
    });
    await state.finish(STAGE);
  });
}

/** What each round asks, and how its answers are paid; the same however often a run is resumed. */
export const gradedPrompts = (
  { grpo: { grader }, seed }: Pick<TuningJobConfig, 'grpo' | 'seed'>,
  { prompts, graded }: Pick<DatasetSide, 'prompts' | 'graded'>,
): PromptSource => promptSource(grader, prompts, deriveSeed(seed, STAGE), graded);

/** One update for each minibatch. */
async function updateAll<Batch>(
  step: Pick<TrainingStep<Batch>, 'run'>,
  minibatches: readonly (readonly Batch[])[],
  learningRate: number,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const minibatch of minibatches) results.push(await step.run(minibatch, learningRate));
  return results;
}

/** Scores, advantages within each group, and what there is to tell about them. */
async function scoreGroups(
  { config, model }: RecipeContext,
  reference: Scorer,
  graded: readonly GradedPrompt[],
  rollouts: readonly Rollout[],
) {
  const { group_size: groupSize, advantage, kl_coef: klCoef, missing_eos_penalty: penalty } = config.grpo;
  const references = await answerLogProbs(reference, rollouts.map(toSequence));
  const kls = rollouts.map(({ logProbs }, i) =>
    logProbs.reduce((sum, logProb, t) => sum + logProb - references[i]![t]!, 0),
  );
  const grades = await Promise.all(rollouts.map((rollout, i) => graded[i]!.grade(textOf(model.tokenizer, rollout))));
  const paid = grades.map((grade, i) => grade - (rollouts[i]!.ended ? 0 : penalty));
  // GRPO has its KL in the loss; RLOO pays for it before the advantages are taken (Ahmadian et al., eq. 3).
  const advantages =
    advantage === 'grpo'
      ? groupRelativeAdvantages(paid, groupSize)
      : leaveOneOutAdvantages(
          paid.map((score, i) => score - klCoef * kls[i]!),
          groupSize,
        );
  return {
    scored: rollouts.map(({ promptIds: prompt, answerIds, logProbs }, i): GroupedRollout => ({
      promptIds: prompt,
      answerIds,
      oldLogProbs: logProbs,
      referenceLogProbs: references[i]!,
      advantage: advantages[i]!,
    })),
    figures: {
      reward_mean: mean(grades),
      kl: mean(kls),
      answer_tokens: mean(rollouts.map(({ answerIds }) => answerIds.length)),
      ended_share: mean(rollouts.map(({ ended }) => Number(ended))),
      // Groups whose answers all score alike teach nothing.
      silent_groups: shareOfSilentGroups(grades, groupSize),
      tokens: rollouts.reduce((sum, { promptIds: prompt, answerIds }) => sum + prompt.length + answerIds.length, 0),
    },
  };
}

const textOf = (tokenizer: RecipeContext['model']['tokenizer'], { answerIds, ended }: Rollout): string =>
  tokenizer.decode(ended ? answerIds.slice(0, -1) : [...answerIds]);

function shareOfSilentGroups(scores: readonly number[], size: number): number {
  const groups = microBatches(scores, size);
  return mean(groups.map((group) => Number(group.every((score) => score === group[0]))));
}
