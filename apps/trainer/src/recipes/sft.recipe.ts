import { deriveSeed } from '@attune/platform';
import { cosine, holding, padSequences, sft } from '@attune/training';
import type { Demonstration } from '../curation/dataset.js';
import { runStage } from '../jobs/stage-loop.js';
import { answerSequence, toWeighted } from '../model/answer-sequence.js';
import type { Policy } from '../model/policy.js';
import { batchItems, numSteps } from './data-order.js';
import { countTokensOf, figuresOf } from './figures.js';
import { microBatches } from './micro-batches.js';
import type { RecipeContext } from './recipe-context.js';
import { replayed } from './replay.js';
import { openStageStep } from './stage-step.js';

const STAGE = 'sft';
const WARMUP_SHARE = 0.05;

/**
 * Supervised fine-tuning of the adapter on demonstrations (Ouyang et al. 2022, step 1), with general tasks replayed in
 * every batch: without them a small model forgets within a few hundred steps what it could do.
 */
export async function trainSft(
  context: RecipeContext,
  policy: Policy,
  demonstrations: readonly Demonstration[],
): Promise<void> {
  const { config, model, state, journal } = context;
  const { batch_size: batchSize, epochs, max_steps: maxSteps, learning_rate: peak, replay_share: share } = config.sft;
  const sequences = demonstrations.map(({ prompt, answer }) =>
    toWeighted(answerSequence(model.tokenizer, prompt, answer)),
  );
  const numReplayed = Math.min(batchSize - 1, Math.round(batchSize * share));
  const totalSteps = numSteps(sequences.length, batchSize - numReplayed, epochs, maxSteps);
  const schedule = cosine({ peak, warmupSteps: Math.ceil(totalSteps * WARMUP_SHARE), totalSteps });
  journal.info(
    `SFT: ${sequences.length} demonstrations, ${totalSteps} steps of ${batchSize - numReplayed} demonstrations and ${numReplayed} replayed tasks`,
  );
  const step = await openStageStep(context, {
    stage: STAGE,
    form: policy.form,
    objective: sft(),
    trainable: policy.parameters,
  });
  const seed = deriveSeed(config.seed, STAGE);
  await holding([step], async () => {
    await runStage(context, STAGE, totalSteps, async (n) => {
      const demonstrated = batchItems(seed, sequences.length, batchSize - numReplayed, n).map((i) => sequences[i]!);
      const sequencesOfStep = [...demonstrated, ...replayed(context, seed, n, numReplayed)];
      const batches = microBatches(sequencesOfStep, config.micro_batch).map((part) => padSequences(part));
      const result = await step.run(batches, schedule(n));
      const tokens = batches.reduce((all, batch) => all + countTokensOf(batch), 0);
      return { values: { ...figuresOf(result), lr: schedule(n), tokens } };
    });
    await state.finish(STAGE);
  });
}
