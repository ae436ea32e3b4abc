import type { Engine } from '@attune/engine';
import { deriveSeed } from '@attune/platform';
import {
  cosine,
  dpo,
  type DpoBatch,
  holding,
  ipo,
  type Objective,
  pairBatch,
  type PreferencePair,
  type Scorer,
  type WeightedSequence,
} from '@attune/training';
import type { DatasetSide } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import type { Policy } from '../model/policy.js';
import { answerLogProbs } from '../model/scoring.js';
import { batchItems, numSteps } from './data-order.js';
import { measureDrift, measureFinalDrift } from './drift.js';
import { countStepTokens, figuresOf, mean, sum } from './figures.js';
import { microBatches, partOf } from './micro-batches.js';
import { toPair } from './preference-pairs.js';
import type { RecipeContext } from './recipe-context.js';
import { frozenReference } from './reference.js';
import { replayedBeside } from './replay.js';
import { openStageStep } from './stage-step.js';

const STAGE = 'dpo';
const WARMUP_SHARE = 0.1;

/** A pair with the reference's log-prob gap: summed over the answers, or their means for IPO. */
interface ReferencedPair {
  readonly pair: PreferencePair;
  readonly referenceGap: number;
}

/**
 * Direct preference optimisation (Rafailov et al. 2023) and its neighbours: the preference data train the policy itself,
 * with no reward model between them. The reference is the policy as this stage found it; it reads every pair once. The
 * loss sees differences between answers alone, so the chosen answers' NLL and replayed general tasks stand beside it:
 * without them a small model gives up what the pairs do not speak of.
 */
export async function trainDpo(
  context: RecipeContext,
  engine: Engine,
  policy: Policy,
  { preferences, prompts }: Pick<DatasetSide, 'preferences' | 'prompts'>,
): Promise<void> {
  const { config, model, state, journal } = context;
  const { loss, batch_size: batchSize, epochs, max_steps: maxSteps, learning_rate: peak, kl_budget } = config.dpo;
  const totalSteps = numSteps(preferences.length, batchSize, epochs, maxSteps);
  const schedule = cosine({ peak, warmupSteps: Math.ceil(totalSteps * WARMUP_SHARE), totalSteps });
  journal.info(`DPO (${loss}): ${preferences.length} preferences, ${totalSteps} steps of ${batchSize} pairs`);
  const reference = frozenReference(context, STAGE, policy);
  await holding([reference], async () => {
    const pairs = await withReference(
      reference,
      preferences.map((preference) => toPair(model.tokenizer, preference)),
      loss === 'ipo' ? mean : sum,
    );
    const step = await openStageStep(context, {
      stage: STAGE,
      form: policy.form,
      objective: objectiveOf(config.dpo),
      trainable: policy.parameters,
    });
    const seed = deriveSeed(config.seed, STAGE);
    const drift = { stage: STAGE, policy, reference, prompts, budget: kl_budget, numSteps: totalSteps };
    await holding([step], async () => {
      await runStage(context, STAGE, totalSteps, async (n) => {
        const chosen = batchItems(seed, pairs.length, batchSize, n).map((i) => pairs[i]!);
        const tasks = replayedBeside(context, { coef: config.dpo.replay_coef, seed, step: n, numItems: batchSize });
        const parts = microBatches(chosen, Math.ceil(config.micro_batch / 2));
        const batches = parts.map((part, i) => toBatch(part, partOf(tasks, i, parts.length)));
        const moved = await measureDrift(context, engine, drift, n);
        const result = await step.run(batches, schedule(n));
        const tokens = countStepTokens(
          batches.map((one) => one.pairs.tokens),
          tasks,
        );
        const values = { ...figuresOf(result), lr: schedule(n), tokens, ...(moved ? { kl: moved.kl } : {}) };
        return { values, stop: moved?.stop };
      });
      await measureFinalDrift(context, engine, drift);
      await state.finish(STAGE);
    });
  });
}

function objectiveOf(settings: RecipeContext['config']['dpo']): Objective<DpoBatch> {
  const { beta, sft_coef: sftCoef, label_smoothing: labelSmoothing } = settings;
  switch (settings.loss) {
    case 'sigmoid':
      return dpo({ beta, sftCoef });
    case 'cdpo':
      return dpo({ beta, sftCoef, labelSmoothing });
    case 'ipo':
      return ipo({ beta, sftCoef });
  }
}

/** Asks the reference once about every pair; it never changes. */
async function withReference(
  reference: Scorer,
  pairs: readonly PreferencePair[],
  pool: (logProbs: readonly number[]) => number,
): Promise<ReferencedPair[]> {
  const sequences = pairs.flatMap(({ chosen, rejected, promptLength: answerStart }) => [
    { ids: chosen, answerStart },
    { ids: rejected, answerStart },
  ]);
  const pooled = (await answerLogProbs(reference, sequences)).map((logProbs) => pool([...logProbs]));
  return pairs.map((pair, i) => ({ pair, referenceGap: pooled[2 * i]! - pooled[2 * i + 1]! }));
}

const toBatch = (pairs: readonly ReferencedPair[], replayed: readonly WeightedSequence[]): DpoBatch => ({
  replayed,
  pairs: pairBatch(pairs.map(({ pair }) => pair)),
  referenceGaps: pairs.map(({ referenceGap }) => referenceGap),
});
