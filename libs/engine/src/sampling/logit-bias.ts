import type { SamplerStep } from './sampler-step.js';

/** Adds the caller's amounts; token ids beyond the vocabulary are ignored. */
export const logitBias: SamplerStep = (logits, { params }) => {
  for (const [token, amount] of Object.entries(params.logitBias)) {
    if (Number(token) < logits.length) logits[Number(token)]! += amount;
  }
};
