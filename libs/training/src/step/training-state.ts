import { InvalidRequestError } from '@attune/platform';
import type { Optimizer } from '../optimizers/optimizer.js';
import type { ParameterSet } from './parameters.js';

/** What makes a run resumable bit for bit, apart from the caller's own cursor (random state, place in the data). */
export interface TrainingArrays {
  /** `parameter/<name>` and `optimizer/<key>`: the live arrays, not copies. */
  readonly arrays: ReadonlyMap<string, Float32Array>;
  readonly optimizerStep: number;
}

/** Gathers the weights and the optimizer's moments, to be written by a TrainingStateStore. */
export function captureTraining(trainable: ParameterSet, optimizer: Optimizer): TrainingArrays {
  const state = optimizer.state();
  const arrays = new Map<string, Float32Array>();
  for (const [name, { data }] of trainable) arrays.set(`${PARAMETER}${name}`, data);
  for (const [key, data] of state.arrays) arrays.set(`${OPTIMIZER}${key}`, data);
  return { arrays, optimizerStep: state.step };
}

/**
 * Puts a captured state back: parameters are overwritten in place, so every session that reads them goes on with the
 * restored values. Throws InvalidRequestError when a parameter is missing or of another size; then nothing has changed.
 */
export function restoreTraining(
  saved: { readonly arrays: ReadonlyMap<string, unknown>; readonly optimizerStep: number },
  trainable: ParameterSet,
  optimizer: Optimizer,
): void {
  const values = [...trainable].map(([name, { data }]) => ({
    data,
    value: savedArray(saved.arrays, name, data.length),
  }));
  for (const { data, value } of values) data.set(value);
  const moments = new Map<string, Float32Array>();
  for (const [key, data] of saved.arrays)
    if (key.startsWith(OPTIMIZER)) moments.set(key.slice(OPTIMIZER.length), data as Float32Array);
  optimizer.restore({ step: saved.optimizerStep, arrays: moments });
}

const PARAMETER = 'parameter/';
const OPTIMIZER = 'optimizer/';

function savedArray(arrays: ReadonlyMap<string, unknown>, name: string, length: number): Float32Array {
  const found = arrays.get(`${PARAMETER}${name}`);
  if (!(found instanceof Float32Array) || found.length !== length)
    throw new InvalidRequestError(
      `the saved training state does not fit: parameter "${name}" of ${length} values is not in it; start the run anew`,
    );
  return found;
}
