import type { TokenLogProb } from '../types.js';
import { expNegative } from './exp.js';
import { largest } from './top-k.js';
import { largestOf } from './weights.js';

/** log Σ exp(logit), without overflow. */
export function logSumExp(logits: Float32Array): number {
  const most = largestOf(logits);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += expNegative(logits[i]! - most);
  return most + Math.log(sum);
}

/** The n likeliest tokens with their log-probs, likeliest first. */
export function topLogProbs(logits: Float32Array, n: number, total = logSumExp(logits)): TokenLogProb[] {
  if (n <= 0) return [];
  const bar = largest(logits, Math.min(n, logits.length))[0]!;
  const found: TokenLogProb[] = [];
  logits.forEach((logit, token) => {
    if (logit >= bar) found.push({ token, logProb: logit - total });
  });
  return found.sort((a, b) => b.logProb - a.logProb || a.token - b.token).slice(0, n);
}
