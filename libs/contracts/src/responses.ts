import { z } from 'zod';
import { chatMetadata } from './chat.js';
import { pageQuery } from './paging.js';
import { responseInputItem, type ResponseOutputItem } from './response-items.js';
import { samplingFields } from './sampling.js';
import { functionDefinition, functionName, jsonSchemaObject } from './tools.js';
import { attributeFilter, rankingOptions } from './vector-stores.js';

export const fileSearchTool = z.strictObject({
  type: z.literal('file_search'),
  vector_store_ids: z.array(z.string()).min(1).max(10),
  filters: attributeFilter.nullish(),
  max_num_results: z.number().int().min(1).max(50).nullish(),
  ranking_options: rankingOptions.nullish(),
});
export type FileSearchTool = z.output<typeof fileSearchTool>;

export const responseTool = z.discriminatedUnion(
  'type',
  [functionDefinition.extend({ type: z.literal('function') }), fileSearchTool],
  {
    error: ({ input }) =>
      `tools of type \`${String((input as { type?: unknown } | null)?.type)}\` are not served; send function or file_search`,
  },
);
export type ResponseTool = z.output<typeof responseTool>;

const namedFunction = z.strictObject({ type: z.literal('function'), name: functionName });
export const responseToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.discriminatedUnion('type', [
    namedFunction,
    z.strictObject({ type: z.literal('file_search') }),
    z.strictObject({
      type: z.literal('allowed_tools'),
      mode: z.enum(['auto', 'required']),
      tools: z.array(namedFunction).min(1),
    }),
  ]),
]);
export type ResponseToolChoice = z.output<typeof responseToolChoice>;

export const responseTextFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: functionName,
    schema: jsonSchemaObject,
    description: z.string().nullish(),
    strict: z.boolean().nullish(),
  }),
]);
export type ResponseTextFormat = z.output<typeof responseTextFormat>;

/** What an answer may be asked to tell beside itself; of these only log-probs and search results ever exist here. */
export const responseInclude = z.enum([
  'file_search_call.results',
  'message.output_text.logprobs',
  'reasoning.encrypted_content',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
]);

/** The text subset of https://platform.openai.com/docs/api-reference/responses/create; there are no other fields. */
export const responseRequest = z.strictObject({
  model: z.string().optional(),
  input: z.union([z.string(), z.array(responseInputItem)]).optional(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: z.union([z.string(), z.strictObject({ id: z.string() })]).nullish(),
  tools: z.array(responseTool).max(128).nullish(),
  tool_choice: responseToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_tool_calls: z.number().int().min(1).nullish(),
  text: z
    .strictObject({ format: responseTextFormat.nullish(), verbosity: z.enum(['low', 'medium', 'high']).nullish() })
    .nullish(),
  include: z.array(responseInclude).nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  max_output_tokens: z.number().int().min(1).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  store: z.boolean().nullish(),
  metadata: chatMetadata.nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().max(64).nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority']).nullish(),
  reasoning: z
    .strictObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      generate_summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .nullish(),
  ...samplingFields,
});
export type ResponseRequest = z.output<typeof responseRequest>;

/**
 * Client event of the Responses socket; requests with one `stream_id` are answered in order. `generate: false` files
 * the input and answers nothing.
 */
export const responseCreateEvent = responseRequest.omit({ background: true }).extend({
  type: z.literal('response.create'),
  event_id: z.string().max(512).optional(),
  stream_id: z.string().min(1).max(128).optional(),
  generate: z.boolean().optional(),
  background: z
    .literal(false, 'a socket answers while it is open; POST the request to run it in the background')
    .nullish(),
});
export type ResponseCreateEvent = z.output<typeof responseCreateEvent>;

const queryFlag = z.enum(['true', 'false']).transform((text) => text === 'true');
const included = z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(responseInclude));

/** GET /v1/responses/{id} */
export const retrieveResponseQuery = z.strictObject({
  stream: queryFlag.optional(),
  starting_after: z.coerce.number().int().min(0).optional(),
  include: included.optional(),
  include_obfuscation: queryFlag.optional(),
});
export type RetrieveResponseQuery = z.output<typeof retrieveResponseQuery>;

/** GET /v1/responses/{id}/input_items and /v1/conversations/{id}/items */
export const listItemsQuery = pageQuery().extend({ include: included.optional() });
export type ListItemsQuery = z.output<typeof listItemsQuery>;

export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

export interface ResponseUsage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

export interface ResponseObject {
  id: string;
  object: 'response';
  /** Unix seconds. */
  created_at: number;
  completed_at: number | null;
  status: ResponseStatus;
  background: boolean;
  error: { code: 'server_error' | 'rate_limit_exceeded' | 'invalid_prompt'; message: string } | null;
  incomplete_details: { reason: 'max_output_tokens' } | null;
  instructions: string | null;
  max_output_tokens: number | null;
  max_tool_calls: number | null;
  metadata: Record<string, string>;
  model: string;
  output: ResponseOutputItem[];
  parallel_tool_calls: boolean;
  previous_response_id: string | null;
  conversation: { id: string } | null;
  prompt_cache_key: string | null;
  reasoning: { effort: string | null; summary: string | null };
  safety_identifier: string | null;
  service_tier: 'default' | 'flex';
  store: boolean;
  temperature: number;
  text: { format: ResponseTextFormat; verbosity: string };
  tool_choice: ResponseToolChoice;
  tools: ResponseTool[];
  top_logprobs: number;
  top_p: number;
  truncation: 'auto' | 'disabled';
  usage: ResponseUsage | null;
  user: string | null;
  /** Attune's addition: the conversation the answer was filed under. */
  conversation_id: string | null;
  /** Attune's addition: the digest of the weights every token came from. */
  system_fingerprint: string | null;
}

/** A server event of a response's stream: one of OpenAI's types, numbered from 0. */
export interface ResponseStreamEvent {
  type: string;
  sequence_number: number;
  response?: ResponseObject;
  [field: string]: unknown;
}

export interface ResponseDeleted {
  id: string;
  object: 'response';
  deleted: true;
}
