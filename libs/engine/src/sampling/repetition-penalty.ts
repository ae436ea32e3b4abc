import type { SamplerStep } from './sampler-step.js';

/** Makes every token already seen less likely: positive logits ÷ penalty, negative × penalty (CTRL, Keskar et al. 2019, §4.1). */
export const repetitionPenalty: SamplerStep = (logits, { params, promptCounts, answerCounts }) => {
  const penalty = params.repetitionPenalty;
  if (penalty === 1) return;
  for (const token of new Set([...promptCounts.keys(), ...answerCounts.keys()])) {
    const logit = logits[token]!;
    logits[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
};
