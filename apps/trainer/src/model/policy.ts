import {
  type FrozenSet,
  type ParameterSet,
  parametersOf,
  roundBase,
  scaleOfForm,
  Scorer,
  type TuningForm,
  adapterOf,
  formOf,
  trainableFraction,
} from '@attune/training';
import type { AdapterWeights } from '@attune/checkpoint';
import type { BaseModel } from './base-model.js';

/** What is trained: its form, and its parameters, which every optimizer step changes in place. */
export interface Policy {
  readonly form: TuningForm;
  readonly parameters: ParameterSet;
}

/** Weights that stand still: the base model's own, an adapter over them, or a model of their own. */
export type FixedWeights =
  | { readonly kind: 'base' }
  | { readonly kind: 'adapter'; readonly adapter: AdapterWeights }
  | { readonly kind: 'full'; readonly parameters: ParameterSet };

/** What a step or a scorer must be told of a policy, apart from its trained parameters. */
export interface Foundation {
  readonly config: BaseModel['config'];
  /** The base weights under an adapter; nothing under a full fine-tune, which has weights of its own. */
  readonly frozen: FrozenSet;
  readonly adapterScale: number;
  readonly runtime: BaseModel['runtime'];
  readonly threads: number;
  /** The device that steps and scorers work on; none: the CPU. */
  readonly memory: BaseModel['memory'];
}

export function foundationOf(model: BaseModel, form: TuningForm): Foundation {
  const { config, runtime, threads, memory } = model;
  const frozen: FrozenSet = form.kind === 'full' ? new Map() : standing(model);
  return { config, frozen, adapterScale: scaleOfForm(form), runtime, threads, memory };
}

/** The base weights as they are read where they stand still. */
const standing = ({ rounded, parameters }: BaseModel): FrozenSet => rounded ?? parameters;

/** Tokens a sequence may have: virtual tokens before it take positions of their own. */
export const freePositions = ({ maxPositions }: Pick<BaseModel['config'], 'maxPositions'>, form: TuningForm): number =>
  form.kind === 'soft-prompt' ? maxPositions - form.numTokens : maxPositions;

/** Forward passes over parameters of a form, heads among them included. */
export function scorerOver(model: BaseModel, form: TuningForm, parameters: FrozenSet): Scorer {
  const { frozen, ...rest } = foundationOf(model, form);
  return new Scorer({ ...rest, parameters: new Map([...frozen, ...parameters]) });
}

/** Forward passes over weights that stand still. */
export function scorerOf(model: BaseModel, weights: FixedWeights): Scorer {
  if (weights.kind === 'adapter') return scorerOver(model, formOf(weights.adapter), parametersOf(weights.adapter));
  return scorerOver(model, { kind: 'full' }, weights.kind === 'base' ? standing(model) : fullOf(model, weights));
}

/** All weights of a fine-tune, rounded where the model's are: whoever serves them beside it rounds them too. */
const fullOf = ({ rounded, config }: BaseModel, { parameters }: { readonly parameters: ParameterSet }): FrozenSet =>
  rounded ? roundBase(config, parameters) : parameters;

/** The policy as it stands. An adapter is copied; a full fine-tune is read in place. */
export function weightsOf({ form, parameters }: Policy): FixedWeights {
  if (form.kind === 'full') return { kind: 'full', parameters };
  return { kind: 'adapter', adapter: adapterOf(parameters, form) };
}

/** "LoRA trains 1.6 % of 2.8 M weights": what a job says before it begins. */
export function describeForm(model: BaseModel, form: TuningForm): string {
  const share = trainableFraction(model.config, form) * 100;
  const total = [...model.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  return `Trains ${FORM_NAMES[form.kind]}: ${share.toPrecision(2)} % of ${(total / 1e6).toFixed(1)} M weights`;
}

const FORM_NAMES = {
  full: 'all weights',
  lora: 'a LoRA adapter',
  bottleneck: 'adapter layers',
  'soft-prompt': 'a soft prompt',
} as const;
