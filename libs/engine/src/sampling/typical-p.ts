import { keepMass } from './keep-mass.js';
import type { SamplerStep } from './sampler-step.js';
import { weightsOf } from './weights.js';

/**
 * Locally typical sampling (Meister et al. 2022): keeps the tokens whose surprise −log p lies nearest to the
 * distribution's entropy, until their probability reaches p.
 */
export const typicalP: SamplerStep = (logits, { params }) => {
  if (params.typicalP >= 1) return;
  const { of: weights, total, most } = weightsOf(logits);
  const logTotal = most + Math.log(total);
  let entropy = 0;
  for (let i = 0; i < logits.length; i++)
    if (weights[i]! > 0) entropy += (weights[i]! / total) * (logTotal - logits[i]!);
  const distance = new Float32Array(logits.length);
  for (let i = 0; i < logits.length; i++) distance[i] = Math.abs(logTotal - logits[i]! - entropy);
  keepMass(logits, distance, weights, params.typicalP * total);
};
