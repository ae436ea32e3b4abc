import { z } from 'zod';
import { guidedFields } from './answer-format.js';
import { MOST_CHOICES, MOST_TOP_LOGPROBS, stopTexts, streamOptions, type Usage } from './chat.js';
import { logitBias, samplingFields } from './sampling.js';

const tokenIds = z.array(z.number().int().min(0)).min(1);

/** Answers of one request are as short as this where the client names no length, as OpenAI has it. */
export const DEFAULT_COMPLETION_TOKENS = 16;

/** POST /v1/completions, https://platform.openai.com/docs/api-reference/completions/create */
export const completionRequest = z.strictObject({
  model: z.string(),
  prompt: z
    .union([z.string(), z.array(z.string()).min(1), tokenIds, z.array(tokenIds).min(1)])
    .nullish()
    .describe('One text or its token ids, or several of either; left out: the beginning of a text.'),
  ...samplingFields,
  logit_bias: logitBias.nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  n: z.number().int().min(1).max(MOST_CHOICES).nullish(),
  best_of: z.number().int().min(1).nullish(),
  echo: z.boolean().nullish(),
  logprobs: z.number().int().min(0).max(MOST_TOP_LOGPROBS).nullish(),
  stop: stopTexts.nullish(),
  stream: z.boolean().nullish(),
  stream_options: streamOptions.nullish(),
  suffix: z.string().nullish(),
  user: z.string().nullish(),
  ignore_eos: z.boolean().nullish().describe('Go on after the end of the text, up to the most tokens.'),
  ...guidedFields,
});
export type CompletionRequest = z.output<typeof completionRequest>;

/** The older shape of likelihoods: one entry a token, in step. */
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: number[];
  /** Rivals' texts with their likelihoods; null where none were asked for. */
  top_logprobs: Record<string, number>[] | null;
  /** Characters of `text` before each token. */
  text_offset: number[];
}

export interface TextCompletionChoice {
  index: number;
  text: string;
  logprobs: CompletionLogprobs | null;
  finish_reason: 'stop' | 'length' | null;
  /** Attune's addition: the row feedback on this choice refers to. */
  completion_id?: string;
}

/** The answer, and in a stream each piece of it. */
export interface TextCompletion {
  id: string;
  object: 'text_completion';
  created: number;
  model: string;
  system_fingerprint: string;
  choices: TextCompletionChoice[];
  usage?: Usage | null;
}
