import { expNegative } from './exp.js';

/** Unnormalised probabilities exp(logit − max) of tokens, and their sum: one exponential a token, no overflow. */
export interface Weights {
  readonly of: Float64Array;
  readonly total: number;
  /** The largest logit. */
  readonly most: number;
}

export function weightsOf(logits: Float32Array): Weights {
  const most = largestOf(logits);
  const of = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const weight = expNegative(logits[i]! - most);
    of[i] = weight;
    total += weight;
  }
  return { of, total, most };
}

export function largestOf(values: Float32Array): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! > most) most = values[i]!;
  return most;
}
