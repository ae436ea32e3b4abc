import type { ModelConfig } from '@attune/models';
import { InvalidRequestError, type Random } from '@attune/platform';
import {
  adaptedModules,
  type AdapterSpec,
  copyParameters,
  initialAdapter,
  type ParameterSet,
} from '../step/parameters.js';
import { initialBottlenecks } from './bottleneck.js';
import { modelSize } from './model-size.js';
import { initialSoftPrompt } from './soft-prompt.js';

/** What of a model is trained, and how it is attached. */
export type TuningForm =
  | { readonly kind: 'full' }
  | ({ readonly kind: 'lora' } & AdapterSpec)
  /** `size`: width of each adapter layer. */
  | { readonly kind: 'bottleneck'; readonly size: number }
  /** `initIds`: tokens whose embeddings the virtual ones start from; random ones when left out. */
  | { readonly kind: 'soft-prompt'; readonly numTokens: number; readonly initIds?: readonly number[] };

/** What a TrainStep or Scorer needs to know of a form. */
export interface TunedModel {
  readonly trainable: ParameterSet;
  readonly frozen: ParameterSet;
  readonly adapterScale: number;
}

/**
 * The parameters a form starts from. Adapters start as the model itself, bit for bit; a soft prompt does not, nothing can
 * be put before a prompt without effect.
 * @param base is copied for full fine-tuning and read in place otherwise
 */
export function startTuning(config: ModelConfig, form: TuningForm, base: ParameterSet, random: Random): TunedModel {
  if (form.kind === 'full') return { trainable: copyParameters(base), frozen: new Map(), adapterScale: 1 };
  return { trainable: initialAddition(config, form, base, random), frozen: base, adapterScale: scaleOfForm(form) };
}

/** What LoRA's update is multiplied by, alpha / rank (Hu et al. 2021, section 4.1); 1 for every other form. */
export const scaleOfForm = (form: TuningForm): number => (form.kind === 'lora' ? form.alpha / form.rank : 1);

/** Number of values a form trains. */
export function trainableCount(config: ModelConfig, form: TuningForm): number {
  const { hiddenSize: hidden, numLayers } = config;
  switch (form.kind) {
    case 'full':
      return modelSize(config);
    case 'lora':
      return [...adaptedModules(config, form.targets).values()].reduce((all, [o, i]) => all + form.rank * (o + i), 0);
    case 'bottleneck':
      return numLayers * 2 * 2 * hidden * form.size;
    case 'soft-prompt':
      return form.numTokens * hidden;
  }
}

/** Trained values over those of the base model; above 0 and at most 1. */
export const trainableFraction = (config: ModelConfig, form: TuningForm): number =>
  trainableCount(config, form) / modelSize(config);

function initialAddition(
  config: ModelConfig,
  form: Exclude<TuningForm, { kind: 'full' }>,
  base: ParameterSet,
  random: Random,
): ParameterSet {
  switch (form.kind) {
    case 'lora':
      return initialAdapter(config, form, random);
    case 'bottleneck':
      return initialBottlenecks(config, form.size, random);
    case 'soft-prompt':
      if (form.numTokens >= config.maxPositions)
        throw new InvalidRequestError(
          `a soft prompt of ${form.numTokens} tokens leaves no room in ${config.maxPositions} positions; take fewer`,
        );
      return initialSoftPrompt(config, form, base, random);
  }
}
