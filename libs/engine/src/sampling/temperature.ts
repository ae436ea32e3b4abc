import type { SamplerStep } from './sampler-step.js';

/** Divides all logits; below 1 sharpens the distribution, above 1 flattens it. 0 never gets here: it means argmax. */
export const temperature: SamplerStep = (logits, { params }) => {
  if (params.temperature === 1) return;
  for (let i = 0; i < logits.length; i++) logits[i]! /= params.temperature;
};
