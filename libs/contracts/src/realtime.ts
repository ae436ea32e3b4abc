import { z } from 'zod';
import { chatMetadata } from './chat.js';
import { functionCallItem, functionCallOutputItem } from './response-items.js';
import { samplingFields } from './sampling.js';
import { functionDefinition, functionName } from './tools.js';

/** The text subset of https://platform.openai.com/docs/api-reference/realtime-client-events; there are no other fields. */
const eventId = z.string().max(512).optional();
const itemId = z.string().min(1).max(128);
const object = z.literal('realtime.item').optional();
const status = z.enum(['completed', 'incomplete', 'in_progress']).optional();

const textPart = z.strictObject(
  { type: z.enum(['input_text', 'output_text', 'text'], 'only text is served here'), text: z.string() },
  {
    error: ({ input }) =>
      `parts of type \`${String((input as { type?: unknown } | null)?.type)}\` are not served; send input_text or output_text`,
  },
);

export const realtimeItem = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      id: itemId.optional(),
      object,
      type: z.literal('message'),
      role: z.enum(['system', 'user', 'assistant']),
      status,
      content: z.array(textPart).min(1),
    }),
    functionCallItem
      .omit({ parsed_arguments: true })
      .extend({ id: itemId.optional(), object, call_id: z.string().min(1).max(128).optional(), status }),
    functionCallOutputItem.extend({ id: itemId.optional(), object, output: z.string(), status }),
  ],
  {
    error: ({ input }) =>
      `items of type \`${String((input as { type?: unknown } | null)?.type)}\` are not served; send message, function_call or function_call_output`,
  },
);
export type RealtimeItem = z.output<typeof realtimeItem>;

const realtimeTool = functionDefinition.extend({
  type: z.literal('function', 'only tools of type `function` are served here'),
});

/** What a session and a single response may both say. */
const responseSettings = {
  instructions: z.string().optional(),
  max_output_tokens: z.union([z.number().int().min(1), z.literal('inf')]).optional(),
  output_modalities: z
    .array(z.string())
    .refine((names) => names.length === 1 && names[0] === 'text', 'only `["text"]` is served here')
    .optional(),
  tools: z.array(realtimeTool).max(128).optional(),
  tool_choice: z
    .union([z.enum(['none', 'auto', 'required']), z.strictObject({ type: z.literal('function'), name: functionName })])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  prompt: z.null().optional(),
  ...samplingFields,
};

/** `auto` lets go of the oldest turns when the context is full; a ratio keeps that share of it, so that it lasts. */
const truncation = z.union([
  z.enum(['auto', 'disabled']),
  z.strictObject({ type: z.literal('retention_ratio'), retention_ratio: z.number().gt(0).max(1) }),
]);

export const realtimeSessionUpdate = z.strictObject({
  type: z.literal('realtime').optional(),
  model: z.string().optional(),
  truncation: truncation.optional(),
  tracing: z.null().optional(),
  ...responseSettings,
});
export type RealtimeSessionUpdate = z.output<typeof realtimeSessionUpdate>;

export const realtimeResponseSettings = z.strictObject({
  ...responseSettings,
  conversation: z.enum(['auto', 'none']).optional(),
  input: z.array(z.union([realtimeItem, z.strictObject({ type: z.literal('item_reference'), id: itemId })])).optional(),
  metadata: chatMetadata.nullish(),
});
export type RealtimeResponseSettings = z.output<typeof realtimeResponseSettings>;

export const realtimeClientEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('session.update'), event_id: eventId, session: realtimeSessionUpdate }),
  z.strictObject({
    type: z.literal('conversation.item.create'),
    event_id: eventId,
    /** Where it goes: after this item, at the front (`root`), or at the end (left out). */
    previous_item_id: z.string().nullish(),
    item: realtimeItem,
  }),
  z.strictObject({ type: z.literal('conversation.item.retrieve'), event_id: eventId, item_id: itemId }),
  z.strictObject({ type: z.literal('conversation.item.delete'), event_id: eventId, item_id: itemId }),
  z.strictObject({
    type: z.literal('conversation.item.truncate'),
    event_id: eventId,
    item_id: itemId,
    content_index: z.number().int().min(0),
    audio_end_ms: z.number().int().min(0),
  }),
  z.strictObject({
    type: z.literal('response.create'),
    event_id: eventId,
    response: realtimeResponseSettings.optional(),
  }),
  z.strictObject({ type: z.literal('response.cancel'), event_id: eventId, response_id: z.string().optional() }),
]);
export type RealtimeClientEvent = z.output<typeof realtimeClientEvent>;
