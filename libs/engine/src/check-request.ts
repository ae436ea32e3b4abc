import type { EngineLimits, GenerateRequest } from './types.js';

/** Why a request can never run here; null = it can. */
export function whyNot(request: GenerateRequest, limits: EngineLimits, vocabSize: number): string | null {
  const { promptIds, maxTokens, answered } = request;
  if (promptIds.length === 0) return 'the prompt has no tokens; it needs at least one';
  if (!Number.isInteger(maxTokens) || maxTokens < 1) return `maxTokens is ${maxTokens}; it must be at least 1`;
  if ((answered?.length ?? 0) >= maxTokens)
    return `${answered!.length} tokens are answered already and maxTokens is ${maxTokens}; there is nothing left to draw`;
  const total = promptIds.length + maxTokens;
  if (total > limits.maxSeq)
    return `the prompt has ${promptIds.length} tokens and maxTokens is ${maxTokens}, but a sequence has room for ${limits.maxSeq}; lower maxTokens or shorten the prompt`;
  const wrong = [...promptIds, ...(answered ?? [])].find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  return wrong === undefined ? null : `the prompt holds token ${wrong}, but the vocabulary has ${vocabSize} tokens`;
}
