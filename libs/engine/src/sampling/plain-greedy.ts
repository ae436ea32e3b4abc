import type { ResolvedSampling } from './sampler-step.js';

/** Whether the next token is simply the likeliest: nothing is added to the logits or taken from them first. */
export function isPlainGreedy(params: ResolvedSampling): boolean {
  const { temperature, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias } = params;
  if (temperature !== 0 || repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0) return false;
  return Object.keys(logitBias).length === 0;
}
