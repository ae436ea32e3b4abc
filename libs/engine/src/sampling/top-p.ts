import { keepMass } from './keep-mass.js';
import type { SamplerStep } from './sampler-step.js';
import { weightsOf } from './weights.js';

/** Keeps the smallest set of likeliest tokens whose probability reaches p (nucleus sampling, Holtzman et al. 2020). */
export const topP: SamplerStep = (logits, { params }) => {
  if (params.topP >= 1) return;
  const weights = weightsOf(logits);
  const unlikeliness = new Float32Array(logits.length);
  for (let i = 0; i < logits.length; i++) unlikeliness[i] = weights.most - logits[i]!;
  keepMass(logits, unlikeliness, weights.of, params.topP * weights.total);
};
