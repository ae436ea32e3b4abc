import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { systemClock } from '@attune/platform';
import { trainRewardModel, whyNotTrusted } from '../recipes/reward-model.recipe.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';
import { loadPairs } from './polite-pairs.js';

const FLIPPED_SHARE = 0.25;
const MOST_PAIRS = 900;

/** A reward model of its own on pairs in words the bundled model hardly knows: weights of runs of tokens help it out. */
const WITH_NGRAMS = { epochs: 4, max_steps: 0, learning_rate: 2e-3, batch_size: 16, ngrams: 3 };

interface Variant {
  readonly numPairs: number;
  readonly flippedShare?: number;
  readonly form?: TuningJobConfig['form'];
  readonly reward?: Partial<TuningJobConfig['reward']>;
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  '50 pairs': { numPairs: 50 },
  '100 pairs': { numPairs: 100 },
  '200 pairs': { numPairs: 200 },
  '400 pairs': { numPairs: 400 },
  '900 pairs': { numPairs: MOST_PAIRS },
  '900 pairs, a quarter flipped': { numPairs: MOST_PAIRS, flippedShare: FLIPPED_SHARE },
  '900 pairs, head alone': { numPairs: MOST_PAIRS, reward: { ngrams: 0 } },
  '900 pairs, all weights': { numPairs: MOST_PAIRS, form: 'full', reward: { learning_rate: 1e-3 } },
  '900 pairs, all weights, head alone': {
    numPairs: MOST_PAIRS,
    form: 'full',
    reward: { learning_rate: 1e-3, ngrams: 0 },
  },
};

/** How many pairs a reward model needs, what weights of runs of tokens bring, and what wrong labels cost. */
export const reward: Experiment = {
  expects:
    'At least 0.95 on held-out prompts from 900 pairs, most of it from the first 200; a quarter flipped costs some.',
  variants: Object.keys(VARIANTS),
  run: async (name, host): Promise<Row> => ({ variant: name, figures: await train(host, VARIANTS[name]!) }),
};

async function train(host: ExperimentHost, { numPairs, flippedShare = 0, form = 'lora', reward: own }: Variant) {
  const data = await loadPairs(host.seed, numPairs, flippedShare);
  const config = tuningJobConfig.parse({ seed: host.seed, form, reward: { ...WITH_NGRAMS, ...own } });
  const context = await memoryContext(host, config);
  const startedMs = systemClock.monotonicMs();
  const model = await trainRewardModel(context, initialPolicy(host.model, config), data);
  await model.scorer.release();
  return {
    accuracy: model.accuracy,
    calibration_error: model.calibrationError,
    trusted: Number(whyNotTrusted(model.accuracy, config.reward.min_accuracy) === null),
    train_seconds: (systemClock.monotonicMs() - startedMs) / 1000,
  };
}
