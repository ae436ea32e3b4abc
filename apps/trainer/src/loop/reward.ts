import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { tuningJobConfig } from '@attune/contracts';
import { createRandom, deriveSeed, InvalidRequestError, systemClock } from '@attune/platform';
import type { Dataset, Demonstration, Preference } from '../curation/dataset.js';
import { readDataset } from '../datasets/read-dataset.js';
import { toRows } from '../datasets/to-rows.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import { trainRewardModel } from '../recipes/reward-model.recipe.js';
import { trainSft } from '../recipes/sft.recipe.js';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';

/** Polite and impolite answers to 1,100 prompts; read from beside the project, never committed. */
const FILE = path.join('..', 'shared', 'data', 'preference', 'llms_from_scratch_preference.json.gz');
const NUM_HELDOUT = 200;
const FLIPPED_SHARE = 0.25;

const config = tuningJobConfig.parse({
  stages: ['sft', 'reward'],
  form: 'full',
  sft: { epochs: 50, max_steps: 150, learning_rate: 1e-3, batch_size: 16, replay_share: 0 },
  reward: { epochs: 8, max_steps: 110, learning_rate: 5e-4, batch_size: 16 },
});

/** How many pairs a reward model needs, and what wrong labels cost it. */
export const reward: Experiment = {
  expects:
    'At least 0.95 on held-out prompts from 900 pairs, most of it from the first 200; a quarter flipped costs some.',
  variants: [
    '50 pairs',
    '100 pairs',
    '200 pairs',
    '400 pairs',
    '900 pairs',
    '900 pairs with a quarter flipped',
    '900 pairs after SFT',
  ],
  async run(variant, host): Promise<Row> {
    const size = Number(/^\d+/.exec(variant)![0]);
    const data = await loadPairs(host.seed, size, variant.endsWith('flipped') ? FLIPPED_SHARE : 0);
    return { variant, figures: await train(host, data, variant.endsWith('SFT')) };
  },
};

/** The reward model starts from the bundled model, or from what it became by SFT on the answers of the pairs. */
async function train(host: ExperimentHost, data: Dataset, afterSft: boolean) {
  const context = await memoryContext(host, { ...config, seed: host.seed });
  const startedMs = systemClock.monotonicMs();
  const policy = initialPolicy(host.model, context.config);
  if (afterSft) await trainSft(context, policy, bothAnswers(data.train.preferences));
  const model = await trainRewardModel(context, policy, data);
  await model.scorer.release();
  return {
    accuracy: model.accuracy,
    calibration_error: model.calibrationError,
    train_seconds: (systemClock.monotonicMs() - startedMs) / 1000,
  };
}

/** All that is written in the pairs, better or worse: to learn the words, not yet which of them are liked. */
const bothAnswers = (preferences: readonly Preference[]): Demonstration[] =>
  preferences.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, answer: chosen },
    { prompt, answer: rejected },
  ]);

/** The first `size` training pairs, some of them the wrong way round; the held-out ones are the same for every size. */
async function loadPairs(seed: number, size: number, flippedShare: number): Promise<Dataset> {
  const content = await readFile(FILE).catch((cause: unknown) => {
    throw new InvalidRequestError(`This experiment reads ${FILE}, which is not there`, { cause });
  });
  const { examples } = readDataset(content, path.basename(FILE));
  const random = createRandom(deriveSeed(seed, 'pairs'));
  const pairs = random.shuffle(examples).flatMap((example, i) => toRows(example, { origin: 'file', name: 'pairs' }, i));
  const preferences = pairs.map(({ prompt, chosen, rejected }): Preference => ({
    prompt,
    chosen,
    rejected: rejected!,
  }));
  const train = preferences
    .slice(NUM_HELDOUT, NUM_HELDOUT + size)
    .map((pair) => (random.next() < flippedShare ? { ...pair, chosen: pair.rejected, rejected: pair.chosen } : pair));
  const side = (part: readonly Preference[]) => ({
    preferences: part,
    demonstrations: [],
    thumbs: [],
    graded: [],
    prompts: [],
  });
  return { train: side(train), heldout: side(preferences.slice(0, NUM_HELDOUT)) };
}
