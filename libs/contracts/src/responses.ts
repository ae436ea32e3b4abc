import { z } from 'zod';
import { chatMetadata, type ChatMessage } from './chat.js';
import { samplingFields } from './sampling.js';

/** `input_text` is what was said to the model, `output_text` what it said before. */
const textItem = z.object({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() });

export const responseInputMessage = z.object({
  type: z.literal('message').optional(),
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(textItem)]),
});

/** The text subset of https://platform.openai.com/docs/api-reference/responses/create */
export const responseRequest = z.object({
  model: z.string().optional(),
  input: z.union([z.string(), z.array(responseInputMessage)]),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  max_output_tokens: z.number().int().min(1).nullish(),
  metadata: chatMetadata.nullish(),
  store: z.boolean().nullish(),
  user: z.string().optional(),
  ...samplingFields,
});
export type ResponseRequest = z.output<typeof responseRequest>;

/** Client event of the Responses socket; requests with one `stream_id` are answered in order. */
export const responseCreateEvent = responseRequest.extend({
  type: z.literal('response.create'),
  stream_id: z.string().max(128).optional(),
});
export type ResponseCreateEvent = z.output<typeof responseCreateEvent>;

/** The request's `input` as messages; instructions are not among them. */
export function responseMessages(input: ResponseRequest['input']): ChatMessage[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  return input.map(({ role, content }) => ({
    role: role === 'developer' ? 'system' : role,
    content: typeof content === 'string' ? content : content.map((part) => part.text).join(''),
  }));
}
