import type { ChatMessage, FunctionTool, RowMessage, RowTool, ToolCall } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';

/** A message of a file as the rest of the product knows it. */
function fromRowMessage(message: RowMessage, index = 0): ChatMessage {
  const { role, content, name, tool_calls: calls, tool_call_id: callId } = message;
  return {
    role: role === 'developer' ? 'system' : role === 'function' ? 'tool' : role,
    content: typeof content === 'string' ? content : (content ?? []).map((part) => part.text).join(''),
    ...(calls?.length ? { tool_calls: calls.map((call, i) => toToolCall(call, index, i)) } : {}),
    ...(callId ? { tool_call_id: callId } : {}),
    ...(name ? { name } : {}),
  };
}

export const fromRowMessages = (messages: readonly RowMessage[]): ChatMessage[] =>
  messages.map((message, index) => fromRowMessage(message, index));

/** A text is what a user asks (or, as an answer, what the assistant says). */
export function fromTurn(turn: string | readonly RowMessage[], role: 'user' | 'assistant'): ChatMessage[] {
  return typeof turn === 'string' ? [{ role, content: turn }] : fromRowMessages(turn);
}

/** The one answer among messages that follow a prompt. @throws InvalidRequestError unless it is one assistant's turn */
export function oneAnswer(messages: readonly ChatMessage[], what: string): ChatMessage {
  const [answer, ...rest] = messages;
  if (answer?.role === 'assistant' && rest.length === 0) return answer;
  throw new InvalidRequestError(`\`${what}\` must be one turn of the assistant`);
}

export function fromRowTools(tools: readonly RowTool[] | null | undefined): { tools?: FunctionTool[] } {
  if (!tools?.length) return {};
  return {
    tools: tools.map(({ function: { name, description, parameters } }) => functionTool(name, description, parameters)),
  };
}

/** A tool with every default filled in. */
export function functionTool(
  name: string,
  description: string | null | undefined,
  parameters: Readonly<Record<string, unknown>> | null | undefined,
): FunctionTool {
  return {
    name,
    ...(description ? { description } : {}),
    parameters: parameters ?? { type: 'object', properties: {} },
  };
}

/** `tools` of a row in OpenAI's form; nothing when there are none. */
export function toRowTools(tools: readonly FunctionTool[] | undefined): { tools?: object[] } {
  return tools?.length ? { tools: tools.map((one) => ({ type: 'function', function: one })) } : {};
}

function toToolCall(call: NonNullable<RowMessage['tool_calls']>[number], message: number, place: number): ToolCall {
  const { name, arguments: given } = call.function;
  const id = call.id ?? `call_${message}_${place}`;
  return {
    id,
    type: 'function',
    function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
  };
}
