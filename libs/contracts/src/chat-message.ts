import { z } from 'zod';
import type { ChatMessage } from './chat.js';
import { functionName, type ToolCall } from './tools.js';

/** A text part of a message; images and audio are refused by name. */
const textPart = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  prompt_cache_breakpoint: z.unknown().optional(),
});
const refusalPart = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });
export const messageContent = z.union([z.string(), z.array(textPart).min(1)]);

const toolCall = z.strictObject({
  id: z.string().min(1).max(256),
  type: z.literal('function'),
  function: z.strictObject({ name: functionName, arguments: z.string() }),
  index: z.number().int().optional(),
});

const name = z.string().max(64).nullish();
const instruction = (role: 'system' | 'developer') =>
  z.strictObject({ role: z.literal(role), content: messageContent, name });

const assistantMessage = z
  .strictObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(z.union([textPart, refusalPart]))]).nullish(),
    tool_calls: z.array(toolCall).max(128).nullish(),
    function_call: z.strictObject({ name: functionName, arguments: z.string() }).nullish(),
    name,
    // What this API's own answers carry, so that they can be sent back as they came.
    refusal: z.string().nullish(),
    annotations: z.array(z.unknown()).nullish(),
    audio: z.null().optional(),
    reasoning_content: z.string().nullish().describe('Read back from other servers; the model does not see it.'),
  })
  .refine(
    (message) =>
      message.content != null || message.refusal != null || !!message.tool_calls?.length || !!message.function_call,
    { message: 'an assistant’s message needs `content` or `tool_calls`', path: ['content'] },
  );

export const chatMessage = z.discriminatedUnion('role', [
  instruction('system'),
  instruction('developer'),
  z.strictObject({ role: z.literal('user'), content: messageContent, name }),
  assistantMessage,
  z.strictObject({
    role: z.literal('tool'),
    content: messageContent,
    tool_call_id: z.string().min(1).max(256),
    name: z.string().max(256).nullish(),
  }),
  z.strictObject({ role: z.literal('function'), content: z.string().nullable(), name: functionName }),
]);
/** A message as clients send it. */
export type WireChatMessage = z.output<typeof chatMessage>;

/** Call ids of clients that use the older `function_call`, which had none. */
const legacyId = (name: string) => `call_${name}`;

/**
 * The messages as everything behind the door sees them. `orphan` is told the place of a tool's result that answers no
 * call of the assistant's turn before it.
 */
export function toChatMessages(wire: readonly WireChatMessage[], orphan: (index: number) => never): ChatMessage[] {
  let calls: ToolCall[] = [];
  return wire.map((message, index) => {
    const plain = toChatMessage(message);
    if (plain.role === 'tool') {
      const call = calls.find(({ id }) => id === plain.tool_call_id);
      return call ? { ...plain, name: call.function.name } : orphan(index);
    }
    calls = plain.tool_calls ?? [];
    return plain;
  });
}

function toChatMessage(wire: WireChatMessage): ChatMessage {
  const named = wire.name ? { name: wire.name } : {};
  switch (wire.role) {
    case 'assistant': {
      const calls = wire.tool_calls?.map(({ id, function: called }) => functionCall(id, called)) ?? [];
      if (wire.function_call) calls.push(functionCall(legacyId(wire.function_call.name), wire.function_call));
      const content = textOf(wire.content) || (wire.refusal ?? '');
      return { role: 'assistant', content, ...named, ...(calls.length > 0 && { tool_calls: calls }) };
    }
    case 'tool':
      return { role: 'tool', content: textOf(wire.content), tool_call_id: wire.tool_call_id };
    case 'function':
      return { role: 'tool', content: wire.content ?? '', tool_call_id: legacyId(wire.name) };
    default:
      return { role: wire.role === 'user' ? 'user' : 'system', content: textOf(wire.content), ...named };
  }
}

const functionCall = (id: string, called: ToolCall['function']): ToolCall => ({
  id,
  type: 'function',
  function: { name: called.name, arguments: called.arguments },
});

type Content = string | readonly ({ text: string } | { refusal: string })[] | null | undefined;

function textOf(content: Content): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => ('text' in part ? part.text : part.refusal)).join('');
}
