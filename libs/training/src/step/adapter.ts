import { type AdapterWeights, type BottleneckWeights, type LowRankWeights } from '@attune/checkpoint';
import { ADAPTABLE, type AdapterTarget } from '@attune/models';
import { InternalError } from '@attune/platform';
import { bottleneckName } from '../forms/bottleneck.js';
import { SOFT_PROMPT } from '../forms/soft-prompt.js';
import type { TuningForm } from '../forms/tuning-form.js';
import { loraName, type Parameter, parameter, type ParameterSet } from './parameters.js';

/** Every form but full fine-tuning, which adds nothing to a model but replaces it. */
export type AdapterForm = Exclude<TuningForm, { kind: 'full' }>;

/** What a form has trained, as the engine and the checkpoint store take it; values are copied. */
export function adapterOf(parameters: ParameterSet, form: AdapterForm): AdapterWeights {
  if (form.kind === 'lora') return toAdapterWeights(parameters, form);
  if (form.kind === 'bottleneck') return { kind: 'bottleneck', size: form.size, tensors: bottlenecksOf(parameters) };
  const embeddings = required(parameters, SOFT_PROMPT).data.slice();
  return { kind: 'soft-prompt', numTokens: form.numTokens, embeddings };
}

/** A stored adapter of any kind as trainable parameters; values are copied. */
export function parametersOf(weights: AdapterWeights): ParameterSet {
  if (weights.kind === 'bottleneck') return fromBottlenecks(weights);
  if (weights.kind !== 'soft-prompt') return fromAdapterWeights(weights);
  const { numTokens, embeddings } = weights;
  return new Map([[SOFT_PROMPT, parameter([numTokens, embeddings.length / numTokens], embeddings.slice())]]);
}

/** The form that goes on training a stored adapter. */
export function formOf(weights: AdapterWeights): AdapterForm {
  if (weights.kind === 'bottleneck') return { kind: 'bottleneck', size: weights.size };
  if (weights.kind === 'soft-prompt') return { kind: 'soft-prompt', numTokens: weights.numTokens };
  const present = new Set([...weights.tensors.keys()].map((module) => module.slice(module.lastIndexOf('.') + 1)));
  const targets: AdapterTarget[] = ADAPTABLE.filter((target) => present.has(target));
  return { kind: 'lora', rank: weights.rank, alpha: weights.alpha, targets };
}

/** The LoRA matrices among some parameters; values are copied. */
function toAdapterWeights(parameters: ParameterSet, spec: { rank: number; alpha: number }): LowRankWeights {
  const tensors = new Map<string, { a: Float32Array; b: Float32Array }>();
  for (const [name, { data }] of parameters) {
    const module = MATRIX_A.exec(name)?.[1];
    if (!module) continue;
    tensors.set(module, { a: data.slice(), b: required(parameters, loraName(module, 'B')).data.slice() });
  }
  return { rank: spec.rank, alpha: spec.alpha, tensors };
}

/** A stored LoRA adapter as trainable parameters under PEFT's names; values are copied. */
function fromAdapterWeights({ rank, tensors }: LowRankWeights): ParameterSet {
  const parameters = new Map<string, Parameter>();
  for (const [module, { a, b }] of tensors) {
    parameters.set(loraName(module, 'A'), parameter([rank, a.length / rank], a.slice()));
    parameters.set(loraName(module, 'B'), parameter([b.length / rank, rank], b.slice()));
  }
  return parameters;
}

function bottlenecksOf(parameters: ParameterSet): BottleneckWeights['tensors'] {
  const tensors = new Map<string, { down: Float32Array; up: Float32Array }>();
  for (const [name, { data }] of parameters) {
    const block = DOWN.exec(name)?.[1];
    if (!block) continue;
    const up = required(parameters, bottleneckName(block, 'up')).data.slice();
    tensors.set(block, { down: data.slice(), up });
  }
  return tensors;
}

function fromBottlenecks({ size, tensors }: BottleneckWeights): ParameterSet {
  const parameters = new Map<string, Parameter>();
  for (const [block, { down, up }] of tensors) {
    parameters.set(bottleneckName(block, 'down'), parameter([size, down.length / size], down.slice()));
    parameters.set(bottleneckName(block, 'up'), parameter([up.length / size, size], up.slice()));
  }
  return parameters;
}

function required(parameters: ParameterSet, name: string): Parameter {
  const found = parameters.get(name);
  if (!found) throw new InternalError(`the parameter "${name}" is missing from what was trained`);
  return found;
}

const MATRIX_A = /^base_model\.model\.(.+)\.lora_A\.weight$/;
const DOWN = /^base_model\.model\.(.+)\.adapter_down\.weight$/;
