import { logSumExp } from './log-probs.js';
import type { SamplerStep } from './sampler-step.js';

/**
 * Locally typical sampling (Meister et al. 2022): keeps the tokens whose surprise −log p lies nearest to the
 * distribution's entropy, until their probability reaches p.
 */
export const typicalP: SamplerStep = (logits, { params }) => {
  const p = params.typicalP;
  if (p >= 1) return;
  const total = logSumExp(logits);
  const surprise = (token: number) => total - logits[token]!;
  const tokens = [...logits.keys()].filter((token) => logits[token] !== -Infinity);
  const entropy = tokens.reduce((sum, token) => sum + Math.exp(-surprise(token)) * surprise(token), 0);
  const distance = (token: number) => Math.abs(surprise(token) - entropy);
  tokens.sort((a, b) => distance(a) - distance(b) || a - b);
  let mass = 0;
  for (const token of tokens) {
    const probability = Math.exp(-surprise(token));
    if (mass >= p) logits[token] = -Infinity;
    mass += probability;
  }
};
