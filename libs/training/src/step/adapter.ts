import type { LowRankWeights } from '@attune/checkpoint';
import { loraName, type Parameter, parameter, type ParameterSet } from './parameters.js';

/** The adapter matrices among some parameters, as the engine and the checkpoint store take them; values are copied. */
export function toAdapterWeights(parameters: ParameterSet, spec: { rank: number; alpha: number }): LowRankWeights {
  const tensors = new Map<string, { a: Float32Array; b: Float32Array }>();
  for (const [name, { data }] of parameters) {
    const module = MATRIX_A.exec(name)?.[1];
    if (!module) continue;
    tensors.set(module, { a: data.slice(), b: parameters.get(loraName(module, 'B'))!.data.slice() });
  }
  return { rank: spec.rank, alpha: spec.alpha, tensors };
}

/** A stored adapter as trainable parameters under PEFT's names; values are copied. */
export function fromAdapterWeights({ rank, tensors }: LowRankWeights): ParameterSet {
  const parameters = new Map<string, Parameter>();
  for (const [module, { a, b }] of tensors) {
    parameters.set(loraName(module, 'A'), parameter([rank, a.length / rank], a.slice()));
    parameters.set(loraName(module, 'B'), parameter([b.length / rank, rank], b.slice()));
  }
  return parameters;
}

const MATRIX_A = /^base_model\.model\.(.+)\.lora_A\.weight$/;
