import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { whyNotTrusted } from '../recipes/reward-judgement.js';
import { trainRewardModel } from '../recipes/reward-model.recipe.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';
import { loadPairs } from './polite-pairs.js';
import { timed } from './training-time.js';

const FLIPPED_SHARE = 0.25;
const MOST_PAIRS = 900;

/**
 * For pairs in words the model hardly knows: runs of tokens judge, over a model that stands still. One that learns too has
 * every pair by heart after two passes, and then nothing is left to teach the words.
 */
const BY_WORDS = { epochs: 4, max_steps: 0, learning_rate: 2e-3, batch_size: 16, ngrams: 3, body: 'frozen' } as const;
/** The model's own judgement, read from its last token. */
const BY_MODEL = { ngrams: 0, body: 'tuned', learning_rate: 1e-3 } as const;

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
  '900 pairs with a quarter flipped': all({ flippedShare: FLIPPED_SHARE }),
  'words over LoRA': all({ reward: { body: 'tuned' } }),
  LoRA: all({ reward: BY_MODEL }),
  'all weights': all({ form: 'full', reward: BY_MODEL }),
  'all weights summed': all({ form: 'full', reward: { ...BY_MODEL, pooling: 'sum', learning_rate: 2e-3 } }),
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
  const config = tuningJobConfig.parse({ seed: host.seed, form, reward: { ...BY_WORDS, ...own } });
  const context = await memoryContext(host, config);
  const { result: model, time } = await timed(() => trainRewardModel(context, initialPolicy(host.model, config), data));
  await model.scorer.release();
  return {
    accuracy: model.accuracy,
    calibration_error: model.calibrationError,
    trusted: Number(whyNotTrusted(model.accuracy, config.reward.min_accuracy) === null),
    ...time,
  };
}
