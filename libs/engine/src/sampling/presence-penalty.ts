import type { SamplerStep } from './sampler-step.js';

/** Subtracts a fixed amount from every token the answer already holds. */
export const presencePenalty: SamplerStep = (logits, { params, answerCounts }) => {
  if (params.presencePenalty === 0) return;
  for (const token of answerCounts.keys()) logits[token]! -= params.presencePenalty;
};
