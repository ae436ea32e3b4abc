import type { SamplerStep } from './sampler-step.js';

/** Subtracts an amount from each token for every time the answer holds it. */
export const frequencyPenalty: SamplerStep = (logits, { params, answerCounts }) => {
  if (params.frequencyPenalty === 0) return;
  for (const [token, count] of answerCounts) logits[token]! -= params.frequencyPenalty * count;
};
