import { z } from 'zod';
import { chatMetadata } from './chat.js';
import { samplingFields } from './sampling.js';

/** The text subset of https://platform.openai.com/docs/api-reference/realtime-client-events */
const eventId = z.string().max(512).optional();
const maxOutputTokens = z.union([z.number().int().min(1), z.literal('inf')]);

export const realtimeItem = z.object({
  id: z.string().min(1).max(128).optional(),
  object: z.literal('realtime.item').optional(),
  type: z.literal('message'),
  role: z.enum(['system', 'user', 'assistant']),
  status: z.enum(['completed', 'incomplete', 'in_progress']).optional(),
  content: z.array(z.object({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() })).min(1),
});
export type RealtimeItem = z.output<typeof realtimeItem>;

/** What a session and a single response may both say. */
const responseSettings = {
  instructions: z.string().optional(),
  max_output_tokens: maxOutputTokens.optional(),
  output_modalities: z.tuple([z.literal('text')]).optional(),
  ...samplingFields,
};
export const realtimeSessionUpdate = z.object({
  type: z.literal('realtime').optional(),
  model: z.string().optional(),
  ...responseSettings,
});
export type RealtimeSessionUpdate = z.output<typeof realtimeSessionUpdate>;

export const realtimeResponseSettings = z.object({
  ...responseSettings,
  conversation: z.enum(['auto', 'none']).optional(),
  input: z.array(realtimeItem).optional(),
  metadata: chatMetadata.nullish(),
});
export type RealtimeResponseSettings = z.output<typeof realtimeResponseSettings>;

export const realtimeClientEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session.update'), event_id: eventId, session: realtimeSessionUpdate }),
  z.object({
    type: z.literal('conversation.item.create'),
    event_id: eventId,
    /** Where it goes: after this item, at the front (`root`), or at the end (left out). */
    previous_item_id: z.string().nullish(),
    item: realtimeItem,
  }),
  z.object({ type: z.literal('conversation.item.retrieve'), event_id: eventId, item_id: z.string() }),
  z.object({ type: z.literal('conversation.item.delete'), event_id: eventId, item_id: z.string() }),
  z.object({ type: z.literal('response.create'), event_id: eventId, response: realtimeResponseSettings.optional() }),
  z.object({ type: z.literal('response.cancel'), event_id: eventId, response_id: z.string().optional() }),
]);
export type RealtimeClientEvent = z.output<typeof realtimeClientEvent>;
