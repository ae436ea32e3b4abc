import { z } from 'zod';
import type { TokenLogprob } from './tools.js';

/** Item ids are the clients' to send back, not to make up: letters, digits, `_` and `-`. */
const itemId = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'it must be 1 to 128 letters, digits, `_` or `-`');
const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']);

/** What the official clients add to answers they have parsed, so that these can be sent back; it says nothing new. */
const sdkAddition = z.unknown().optional();

const oneOf = (known: readonly string[], what: string) => ({
  error: ({ input }: { input: unknown }) => {
    const type = (input as { type?: unknown } | null)?.type;
    return `${what} of type \`${String(type)}\` are not served; send ${known.join(', ')}`;
  },
});

/** `input_text` is what was said to the model, `output_text` what it said before. */
export const responseTextPart = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('input_text'), text: z.string() }),
    z.strictObject({
      type: z.literal('output_text'),
      text: z.string(),
      annotations: z.array(z.unknown()).optional(),
      logprobs: z.array(z.unknown()).nullish(),
      parsed: sdkAddition,
    }),
    z.strictObject({ type: z.literal('text'), text: z.string() }),
    z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
  ],
  oneOf(['input_text', 'output_text', 'text', 'refusal'], 'parts'),
);

const messageItem = z.strictObject({
  type: z.literal('message'),
  id: itemId.optional(),
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(responseTextPart)]),
  status: itemStatus.optional(),
  phase: z.enum(['commentary', 'final_answer']).nullish(),
});

export const functionCallItem = z.strictObject({
  type: z.literal('function_call'),
  id: itemId.nullish(),
  call_id: z.string().min(1).max(128),
  name: z.string().min(1).max(128),
  arguments: z.string(),
  status: itemStatus.nullish(),
  parsed_arguments: sdkAddition,
});

export const functionCallOutputItem = z.strictObject({
  type: z.literal('function_call_output'),
  id: itemId.nullish(),
  call_id: z.string().min(1).max(128),
  output: z.union([z.string(), z.array(responseTextPart)]),
  status: itemStatus.nullish(),
});

const fileSearchResult = z.strictObject({
  file_id: z.string(),
  filename: z.string(),
  score: z.number(),
  text: z.string(),
  attributes: z.record(z.string(), z.unknown()).nullish(),
  vector_store_id: z.string().optional(),
});
export type FileSearchResult = z.output<typeof fileSearchResult>;

const fileSearchCallItem = z.strictObject({
  type: z.literal('file_search_call'),
  id: itemId,
  queries: z.array(z.string()),
  status: z.enum(['in_progress', 'searching', 'completed', 'incomplete', 'failed']),
  results: z.array(fileSearchResult).nullish(),
});

const itemReference = z.strictObject({ type: z.literal('item_reference'), id: itemId });

const ITEM_TYPES = ['message', 'function_call', 'function_call_output', 'file_search_call', 'item_reference'];

/** One entry of `input`; a message may leave its `type` out. */
export const responseInputItem = z.preprocess(
  (item) => (typeof item === 'object' && item !== null && 'role' in item ? { type: 'message', ...item } : item),
  z.discriminatedUnion(
    'type',
    [messageItem, functionCallItem, functionCallOutputItem, fileSearchCallItem, itemReference],
    oneOf(ITEM_TYPES, 'items'),
  ),
);
export type ResponseInputItem = z.output<typeof responseInputItem>;

export interface FileCitation {
  type: 'file_citation';
  file_id: string;
  filename: string;
  index: number;
  /** Attune's addition: the passage itself. */
  quote?: string;
}

export interface OutputTextPart {
  type: 'output_text';
  text: string;
  annotations: FileCitation[];
  logprobs: TokenLogprob[];
}
type ItemStatus = z.output<typeof itemStatus>;

export interface MessageItem {
  id: string;
  type: 'message';
  role: 'system' | 'developer' | 'user' | 'assistant';
  status: ItemStatus;
  content: (z.output<typeof responseTextPart> | OutputTextPart)[];
}
export interface FunctionCallItem {
  id: string;
  type: 'function_call';
  call_id: string;
  name: string;
  arguments: string;
  status: ItemStatus;
}
export interface FunctionCallOutputItem {
  id: string;
  type: 'function_call_output';
  call_id: string;
  output: string | z.output<typeof responseTextPart>[];
  status: ItemStatus;
}
export type FileSearchCallItem = z.output<typeof fileSearchCallItem>;

/** An item as it is kept and told: with an id, its content in parts. */
export type ResponseItem = MessageItem | FunctionCallItem | FunctionCallOutputItem | FileSearchCallItem;
/** What the model can have produced. */
export type ResponseOutputItem = MessageItem | FunctionCallItem | FileSearchCallItem;
