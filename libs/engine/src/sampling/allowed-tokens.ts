import type { SamplerStep } from './sampler-step.js';

/** Leaves only the tokens a structure allows here; first of all steps, so that nothing can bring another one back. */
export const allowedTokens: SamplerStep = (logits, { allowed }) => {
  if (!allowed) return;
  for (let token = 0; token < logits.length; token++)
    if (((allowed[token >> 5]! >>> (token & 31)) & 1) === 0) logits[token] = -Infinity;
};
