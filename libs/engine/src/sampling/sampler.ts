import { createRandom, deriveSeed } from '@attune/platform';
import type { TokenEvent } from '../types.js';
import { allowedTokens } from './allowed-tokens.js';
import { frequencyPenalty } from './frequency-penalty.js';
import { logSumExp, topLogProbs } from './log-probs.js';
import { logitBias } from './logit-bias.js';
import { minP } from './min-p.js';
import { presencePenalty } from './presence-penalty.js';
import { repetitionPenalty } from './repetition-penalty.js';
import type { SamplerContext, SamplerStep } from './sampler-step.js';
import { temperature } from './temperature.js';
import { topK } from './top-k.js';
import { topP } from './top-p.js';
import { typicalP } from './typical-p.js';

/** Applied in this order; those before the temperature also shape a greedy choice. */
const shaping: readonly SamplerStep[] = [
  allowedTokens,
  repetitionPenalty,
  frequencyPenalty,
  presencePenalty,
  logitBias,
];
const narrowing: readonly SamplerStep[] = [temperature, topK, typicalP, topP, minP];

/**
 * Draws the next token from logits [V], which are left as they are.
 * @param index tokens drawn before this one: with the seed it fixes the random number, whatever else is in the batch
 */
export function sampleToken(logits: Float32Array, context: SamplerContext, index: number): number {
  const shaped = logits.slice();
  for (const step of shaping) step(shaped, context);
  if (context.params.temperature === 0) return argmax(shaped);
  for (const step of narrowing) step(shaped, context);
  return draw(shaped, createRandom(deriveSeed(context.params.seed, index)).next());
}

/** The event for a drawn token, with log-probs of the model's own distribution where they are wanted. */
export function describeToken(logits: Float32Array, token: number, logProbs: boolean, top: number): TokenEvent {
  if (!logProbs) return { type: 'token', token };
  const total = logSumExp(logits);
  const event = { type: 'token', token, logProb: logits[token]! - total } as const;
  return top > 0 ? { ...event, top: topLogProbs(logits, top, total) } : event;
}

/** The first index of the largest value. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The token at which the cumulative probability passes `uniform` in [0, 1). */
export function draw(logits: Float32Array, uniform: number): number {
  const total = logSumExp(logits);
  let left = uniform;
  let last = 0;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] === -Infinity) continue;
    left -= Math.exp(logits[i]! - total);
    if (left < 0) return i;
    last = i;
  }
  return last; // rounding left a sliver beyond the last token
}
