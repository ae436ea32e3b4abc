import type { SamplerStep } from './sampler-step.js';
import { largestOf } from './weights.js';

/** Drops tokens whose probability is below minP times the likeliest one's (Nguyen et al. 2024, eq. 1-2). */
export const minP: SamplerStep = (logits, { params }) => {
  if (params.minP <= 0) return;
  const bar = largestOf(logits) + Math.log(params.minP);
  for (let i = 0; i < logits.length; i++) if (logits[i]! < bar) logits[i] = -Infinity;
};
