import { logSumExp } from './log-probs.js';
import type { SamplerStep } from './sampler-step.js';

/** Keeps the smallest set of likeliest tokens whose probability reaches p (nucleus sampling, Holtzman et al. 2020). */
export const topP: SamplerStep = (logits, { params }) => {
  const p = params.topP;
  if (p >= 1) return;
  const total = logSumExp(logits);
  // A token below this could be dropped together with all rarer ones without losing 1 − p: it never belongs to the set.
  const floor = total + Math.log((1 - p) / logits.length);
  const candidates: number[] = [];
  let likeliest = 0;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i]! > logits[likeliest]!) likeliest = i;
    if (logits[i]! >= floor) candidates.push(i);
  }
  candidates.sort((a, b) => logits[b]! - logits[a]! || a - b);
  const kept = new Set([likeliest]);
  let mass = 0;
  for (const token of candidates) {
    if (mass >= p) break;
    kept.add(token);
    mass += Math.exp(logits[token]! - total);
  }
  for (let i = 0; i < logits.length; i++) if (!kept.has(i)) logits[i] = -Infinity;
};
