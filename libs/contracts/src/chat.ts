import { z } from 'zod';
import { chatResponseFormat, guidedFields } from './answer-format.js';
import { logitBias, samplingFields } from './sampling.js';
import { chatMessage } from './chat-message.js';
import { MOST_PAIRS } from './paging.js';
import { chatToolFields, type TokenLogprob, type ToolCall } from './tools.js';

/**
 * A message as everything behind the door sees it: plain text, `developer` read as `system`, tool calls and their
 * results under the names chat templates know.
 */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of an assistant: what it called beside (or instead of) saying `content`. */
  tool_calls?: ToolCall[];
  /** Of a tool: the call this is the result of. */
  tool_call_id?: string;
  /** Of a tool: the function's name; of others: who speaks. */
  name?: string;
}

/**
 * Keys of `metadata` the gateway understands:
 * `conversation_id` continues a conversation, `regenerate_of` names the completion this one is another try of,
 * `retrieval` = `off` answers without documents.
 */
const UNDERSTOOD: readonly string[] = ['conversation_id', 'regenerate_of', 'retrieval'];

/** Up to 16 pairs of the client's own beside them. */
export const chatMetadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine(
    (pairs) => Object.keys(pairs).filter((key) => !UNDERSTOOD.includes(key)).length <= MOST_PAIRS,
    `at most ${MOST_PAIRS} pairs`,
  );

const MOST_STOPS = 4;
export const stopTexts = z.union([
  z.string().max(500),
  z.array(z.string().max(500)).max(MOST_STOPS, `up to ${MOST_STOPS} are possible`),
]);

export const streamOptions = z.strictObject({
  include_usage: z.boolean().nullish(),
  include_obfuscation: z.boolean().nullish(),
});

/** As OpenAI has it; rendering more would keep everybody else waiting. */
export const MOST_MESSAGES = 2048;
/** Choices of one request; each is a generation of its own. */
export const MOST_CHOICES = 16;
export const MOST_TOP_LOGPROBS = 20;

/**
 * Fields of OpenAI's that are taken and have no effect here, on purpose: there is one model, which does not reason, one
 * place, and every prompt is cached for as long as there is room.
 */
const withoutEffect = {
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.enum(['in_memory', '24h', 'in-memory']).nullish(),
  prompt_cache_options: z.record(z.string(), z.unknown()).nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  modalities: z.tuple([z.literal('text')]).nullish(),
  prediction: z.strictObject({ type: z.literal('content'), content: z.unknown() }).nullish(),
};

export const serviceTier = z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast']);

/** POST /v1/chat/completions, https://platform.openai.com/docs/api-reference/chat/create */
export const chatCompletionRequest = z.strictObject({
  model: z.string(),
  messages: z.array(chatMessage).min(1).max(MOST_MESSAGES),
  ...samplingFields,
  logit_bias: logitBias.nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  n: z.number().int().min(1).max(MOST_CHOICES).nullish(),
  stop: stopTexts.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(MOST_TOP_LOGPROBS).nullish(),
  response_format: chatResponseFormat.nullish(),
  ...chatToolFields,
  stream: z.boolean().nullish(),
  stream_options: streamOptions.nullish(),
  store: z.boolean().nullish(),
  metadata: chatMetadata.nullish(),
  service_tier: serviceTier.nullish(),
  ignore_eos: z.boolean().nullish().describe('Go on after the end of the turn, up to the most tokens.'),
  ...guidedFields,
  ...withoutEffect,
});
export type ChatCompletionRequest = z.output<typeof chatCompletionRequest>;

export const stopReason = z.enum(['stop', 'length', 'tool_calls', 'cancelled', 'error']);
/** `stop` covers end-of-turn tokens and stop strings; a call that was cut is `length`, never `tool_calls`. */
export type StopReason = z.output<typeof stopReason>;
/** How an answer that was not given up can have ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls';

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  /** There is no reasoning apart from the answer; clients read the zeros. */
  completion_tokens_details?: { reasoning_tokens: number };
}

/** A passage the answer was grounded in; `index` is its number in the prompt, from 1. */
export interface Citation {
  index: number;
  document_id: string;
  passage_id: string;
  filename: string;
  quote: string;
  score: number;
}

/** Why an answer ended, as chat completions say it; `function_call` to clients of the older form. */
export type ChatFinishReason = FinishReason | 'function_call';

export interface AssistantMessage {
  role: 'assistant';
  /** Null where there are calls and no words. */
  content: string | null;
  refusal: null;
  tool_calls?: ToolCall[];
  /** The one call, to clients that sent `functions`. */
  function_call?: ToolCall['function'];
}

export interface ChatLogprobs {
  content: TokenLogprob[];
  refusal: null;
}

export interface ChatChoice {
  index: number;
  message: AssistantMessage;
  logprobs: ChatLogprobs | null;
  finish_reason: ChatFinishReason;
  /** Attune's addition: the row feedback on this choice refers to; of the first one the completion's own id. */
  completion_id: string;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Unix seconds. */
  created: number;
  model: string;
  /** The digest of the weights every token came from. */
  system_fingerprint: string;
  choices: ChatChoice[];
  usage: Usage;
  /** The tier that served it, where the request named one. */
  service_tier?: 'default' | 'flex';
  metadata?: Record<string, string>;
  /** Attune's addition: what the answer was grounded in. */
  citations?: Citation[];
  /** Attune's addition: the conversation the answer was filed under. */
  conversation_id: string;
}

export interface ChatDelta {
  role?: 'assistant';
  content?: string;
  refusal?: null;
  tool_calls?: {
    index: number;
    id?: string;
    type?: 'function';
    function: { name?: string; arguments: string };
  }[];
  function_call?: { name?: string; arguments: string };
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  system_fingerprint: string;
  choices: {
    index: number;
    delta: ChatDelta;
    logprobs: ChatLogprobs | null;
    finish_reason: ChatFinishReason | null;
    completion_id?: string;
  }[];
  service_tier?: 'default' | 'flex';
  usage?: Usage | null;
  citations?: Citation[];
  conversation_id?: string;
}

/** DELETE /v1/chat/completions/{id} */
export interface ChatCompletionDeleted {
  object: 'chat.completion.deleted';
  id: string;
  deleted: boolean;
}

/** One entry of GET /v1/chat/completions/{id}/messages */
export interface StoredChatMessage extends Omit<ChatMessage, 'content'> {
  id: string;
  content: string | null;
  content_parts: null;
}

/** POST /v1/chat/completions/{id} */
export const chatCompletionUpdate = z.strictObject({ metadata: chatMetadata.nullable() });

/** GET /v1/models */
export interface Model {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
}
