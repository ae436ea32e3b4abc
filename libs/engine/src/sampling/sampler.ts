import { createRandom, deriveSeed, InternalError } from '@attune/platform';
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
import { weightsOf } from './weights.js';

/** Applied in this order. They also shape a greedy choice. */
const shaping: readonly SamplerStep[] = [
  allowedTokens,
  repetitionPenalty,
  frequencyPenalty,
  presencePenalty,
  logitBias,
];
/** Then these, on what `topK` left: a division by the temperature changes no order. */
const narrowing: readonly SamplerStep[] = [temperature, typicalP, topP, minP];

/** Reused, since a vocabulary's worth of floats for every token drawn would keep the collector busy. */
let scratch = new Float32Array(0);

/**
 * Draws the next token from logits [V], which are left as they are.
 * @param index tokens drawn before this one: with the seed it fixes the random number, whatever else is in the batch
 */
export function sampleToken(logits: Float32Array, context: SamplerContext, index: number): number {
  const shaped = copyOf(logits);
  for (const step of shaping) step(shaped, context);
  if (context.params.temperature === 0) return likeliest(shaped);
  topK(shaped, context);
  const { values, tokens } = candidates(shaped, context);
  if (values.length === 0) throw nothingLeft();
  for (const step of narrowing) step(values, context);
  const drawn = draw(values, uniformOf(context.params.seed, index));
  return tokens ? tokens[drawn]! : drawn;
}

function likeliest(shaped: Float32Array): number {
  const best = argmax(shaped);
  if (shaped[best] === -Infinity) throw nothingLeft();
  return best;
}

const nothingLeft = () => new InternalError('no token may be drawn here');

/** The random number in [0, 1) of the token at this place of an answer. */
export const uniformOf = (seed: number, index: number): number => createRandom(deriveSeed(seed, index)).next();

function copyOf(logits: Float32Array): Float32Array {
  if (scratch.length !== logits.length) scratch = new Float32Array(logits.length);
  scratch.set(logits);
  return scratch;
}

/** What can still be drawn, close together where it is known to be little; `tokens` null = entry i is token i. */
function candidates(logits: Float32Array, { params, allowed }: SamplerContext) {
  if (params.topK <= 0 && !allowed) return { values: logits, tokens: null };
  const tokens: number[] = [];
  for (let token = 0; token < logits.length; token++) if (logits[token]! > -Infinity) tokens.push(token);
  return { values: Float32Array.from(tokens, (token) => logits[token]!), tokens };
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
  let most = values[0]!;
  for (let i = 1; i < values.length; i++) {
    if (values[i]! > most) {
      most = values[i]!;
      best = i;
    }
  }
  return best;
}

/** The token at which the cumulative probability passes `uniform` in [0, 1). */
export function draw(logits: Float32Array, uniform: number): number {
  const { of: weights, total } = weightsOf(logits);
  let left = uniform * total;
  let last = 0;
  for (let i = 0; i < logits.length; i++) {
    if (weights[i] === 0) continue;
    left -= weights[i]!;
    if (left < 0) return i;
    last = i;
  }
  return last; // rounding left a sliver beyond the last token
}
