import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { systemClock } from '@attune/platform';
import { trainRewardModel, whyNotTrusted } from '../recipes/reward-model.recipe.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';
import { loadPairs } from './polite-pairs.js';

const FLIPPED_SHARE = 0.25;
const MOST_PAIRS = 900;

const SUMMED = { epochs: 4, max_steps: 0, learning_rate: 2e-3, batch_size: 16, pooling: 'sum' } as const;

interface Variant {
  readonly numPairs: number;
  readonly flippedShare?: number;
  readonly form?: TuningJobConfig['form'];
  readonly reward?: Partial<TuningJobConfig['reward']>;
}

const all = (variant: Omit<Variant, 'numPairs'> = {}): Variant => ({ numPairs: MOST_PAIRS, ...variant });

const VARIANTS: Readonly<Record<string, Variant>> = {
  '50 pairs': { numPairs: 50 },
  '100 pairs': { numPairs: 100 },
  '200 pairs': { numPairs: 200 },
  '400 pairs': { numPairs: 400 },
  '900 pairs': all(),
  '900 pairs, a quarter flipped': all({ flippedShare: FLIPPED_SHARE }),
  'last token': all({ reward: { pooling: 'last', learning_rate: 1e-3 } }),
  'runs of tokens': all({ reward: { ngrams: 3 } }),
  LoRA: all({ form: 'lora' }),
  'LoRA, last token': all({ form: 'lora', reward: { pooling: 'last', learning_rate: 1e-3 } }),
  'LoRA, runs of tokens': all({ form: 'lora', reward: { pooling: 'last', ngrams: 3 } }),
};

/** How many pairs a reward model needs, what weights of runs of tokens bring, and what wrong labels cost. */
export const reward: Experiment = {
  expects:
    'At least 0.95 on held-out prompts from 900 pairs, most of it from the first 200; a quarter flipped costs some.',
  variants: Object.keys(VARIANTS),
  run: async (name, host): Promise<Row> => ({ variant: name, figures: await train(host, VARIANTS[name]!) }),
};

async function train(host: ExperimentHost, { numPairs, flippedShare = 0, form = 'full', reward: own }: Variant) {
  const data = await loadPairs(host.seed, numPairs, flippedShare);
  const config = tuningJobConfig.parse({ seed: host.seed, form, reward: { ...SUMMED, ...own } });
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
