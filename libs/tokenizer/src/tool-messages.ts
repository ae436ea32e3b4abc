import type { ChatMessage, MessageToolCall, ToolDeclaration } from './chat-message.js';
import type { ToolCallFormat } from './tool-call-format.js';

/**
 * The messages as templates with tools of their own expect them: arguments as objects, and for Mistral's the ids of
 * nine letters or digits they insist on.
 */
export function forTemplate(messages: readonly ChatMessage[], format: ToolCallFormat): object[] {
  const id = format === 'mistral' ? nineCharacters : (whole: string) => whole;
  return messages.map(({ tool_calls: calls, tool_call_id: callId, ...message }) => ({
    ...message,
    ...(callId !== undefined && { tool_call_id: id(callId) }),
    ...(calls?.length && {
      tool_calls: calls.map((call) => ({
        id: id(call.id),
        type: 'function',
        function: { name: call.function.name, arguments: argumentsOf(call) },
      })),
    }),
  }));
}

/**
 * The default form, for templates that know no tools: Hermes' own (https://github.com/NousResearch/Hermes-Function-Calling)
 * in few words. Functions stand in the system message, calls in the assistant's text, results in a user's turn.
 */
export function inPlainMessages(messages: readonly ChatMessage[], tools: readonly ToolDeclaration[]): ChatMessage[] {
  return withDeclarations(mergedResults(messages).map(callsAsText), tools);
}

/** The text of a call in Hermes' form. */
const hermesCall = (call: MessageToolCall): string =>
  `<tool_call>\n{"name": ${JSON.stringify(call.function.name)}, "arguments": ${call.function.arguments}}\n</tool_call>`;

function withDeclarations(messages: ChatMessage[], tools: readonly ToolDeclaration[]): ChatMessage[] {
  if (tools.length === 0) return messages;
  const lines = [
    'You can call these functions:',
    ...tools.map((tool) => JSON.stringify(tool.function)),
    'To call one, answer with',
    '<tool_call>\n{"name": <name>, "arguments": <object>}\n</tool_call>',
  ];
  const block = lines.join('\n');
  const [first, ...rest] = messages;
  return first?.role === 'system' || first?.role === 'developer'
    ? [{ ...first, content: `${first.content}\n\n${block}` }, ...rest]
    : [{ role: 'system', content: block }, ...messages];
}

function callsAsText({ tool_calls: calls, ...message }: ChatMessage): ChatMessage {
  if (!calls?.length) return message;
  const texts = calls.map(hermesCall);
  return { ...message, content: [...(message.content ? [message.content] : []), ...texts].join('\n') };
}

/** Results that follow each other answer one turn of the assistant, so they make one turn of the user. */
function mergedResults(messages: readonly ChatMessage[]): ChatMessage[] {
  const merged: ChatMessage[] = [];
  messages.forEach((message, index) => {
    if (message.role !== 'tool') return merged.push(message);
    const content = `<tool_response>\n${message.content}\n</tool_response>`;
    if (messages[index - 1]?.role !== 'tool') return merged.push({ role: 'user', content });
    merged[merged.length - 1] = { role: 'user', content: `${merged[merged.length - 1].content}\n${content}` };
  });
  return merged;
}

/** An object where the text is JSON; a call that was cut stays the text it is. */
function argumentsOf(call: MessageToolCall): unknown {
  try {
    return JSON.parse(call.function.arguments);
  } catch {
    return call.function.arguments;
  }
}

const nineCharacters = (id: string): string =>
  id
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(-9)
    .padStart(9, '0');
