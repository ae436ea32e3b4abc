import type { ResolvedSampling } from './sampler-step.js';

/** Whether nothing but the temperature shapes the distribution, so that a token can be drawn where the logits are. */
export function isPlain(params: ResolvedSampling): boolean {
  const { topK, topP, minP, typicalP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias } = params;
  const narrows = params.temperature !== 0 && (topK > 0 || topP < 1 || minP > 0 || typicalP < 1);
  const shapes = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0;
  return !narrows && !shapes && Object.keys(logitBias).length === 0;
}
