import { z } from 'zod';
import { samplingFields } from './sampling.js';
import type { ToolCall } from './tools.js';

/** A text part of a message; images and audio are refused by name. */
const textPart = z.object({ type: z.literal('text'), text: z.string() });
export const messageContent = z.union([z.string(), z.array(textPart)]);

export const chatMessage = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: messageContent,
  name: z.string().optional(),
});
/** A message as clients send it. */
export type WireChatMessage = z.output<typeof chatMessage>;

/**
 * A message as everything behind the door sees it: plain text, `developer` read as `system`, tool calls and their
 * results under the names chat templates know.
 */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of an assistant: what it called beside (or instead of) saying `content`. */
  tool_calls?: ToolCall[];
  /** Of a tool: the call this is the result of, and the function's name. */
  tool_call_id?: string;
  name?: string;
}

export function toChatMessage(wire: WireChatMessage): ChatMessage {
  const content = typeof wire.content === 'string' ? wire.content : wire.content.map((part) => part.text).join('');
  return { role: wire.role === 'developer' ? 'system' : wire.role, content };
}

/**
 * Keys of `metadata` the gateway understands:
 * `conversation_id` continues a conversation, `regenerate_of` names the completion this one is another try of,
 * `retrieval` = `off` answers without documents.
 */
export const chatMetadata = z.record(z.string().max(64), z.string().max(512));

/** POST /v1/chat/completions, https://platform.openai.com/docs/api-reference/chat/create */
export const chatCompletionRequest = z.object({
  model: z.string(),
  messages: z.array(chatMessage).min(1),
  ...samplingFields,
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  n: z.literal(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .object({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  metadata: chatMetadata.nullish(),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  store: z.boolean().nullish(),
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

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Unix seconds. */
  created: number;
  model: string;
  /** The digest of the weights every token came from. */
  system_fingerprint: string;
  choices: {
    index: 0;
    message: { role: 'assistant'; content: string; refusal: null };
    logprobs: null;
    finish_reason: FinishReason;
  }[];
  usage: Usage;
  /** Attune's addition: what the answer was grounded in. */
  citations?: Citation[];
  /** Attune's addition: the conversation the answer was filed under. */
  conversation_id: string;
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  system_fingerprint: string;
  choices: {
    index: 0;
    delta: { role?: 'assistant'; content?: string; refusal?: null };
    logprobs: null;
    finish_reason: FinishReason | null;
  }[];
  usage?: Usage | null;
  citations?: Citation[];
  conversation_id?: string;
}

/** GET /v1/models */
export interface Model {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
}
