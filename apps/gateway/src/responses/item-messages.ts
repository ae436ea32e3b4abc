import type {
  ChatMessage,
  FunctionCallItem,
  FunctionCallOutputItem,
  MessageItem,
  ResponseItem,
} from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';

/**
 * Items as the messages the model is shown: calls go to the assistant's message they followed, searches are left out
 * because their passages were shown when they were found.
 * @throws InvalidRequestError for the output of a call nobody made
 */
export function itemMessages(items: readonly ResponseItem[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const names = new Map<string, string>();
  for (const item of items) {
    if (item.type === 'message') messages.push(messageOf(item));
    else if (item.type === 'function_call') {
      names.set(item.call_id, item.name);
      addCall(messages, item);
    } else if (item.type === 'function_call_output') messages.push(resultOf(item, names.get(item.call_id)));
  }
  return messages;
}

export const textOf = (content: MessageItem['content'] | string): string =>
  typeof content === 'string'
    ? content
    : content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');

function messageOf({ role, content }: MessageItem): ChatMessage {
  return { role: role === 'developer' ? 'system' : role, content: textOf(content) };
}

function addCall(messages: ChatMessage[], item: FunctionCallItem): void {
  const call = {
    id: item.call_id,
    type: 'function' as const,
    function: { name: item.name, arguments: item.arguments },
  };
  const last = messages.at(-1);
  if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call];
  else messages.push({ role: 'assistant', content: '', tool_calls: [call] });
}

function resultOf({ call_id, output }: FunctionCallOutputItem, name: string | undefined): ChatMessage {
  if (name === undefined) {
    throw new InvalidRequestError(
      `There is no function call \`${call_id}\` before its output; send the call too, or name the response that made it as \`previous_response_id\`.`,
      { param: 'input', code: 'function_call_not_found' },
    );
  }
  return { role: 'tool', content: textOf(output), tool_call_id: call_id, name };
}

/**
 * Where a conversation may begin when its oldest part is left out: at each message of a user. What stands before the
 * first of them (system messages) always stays.
 */
function cutMessages(messages: readonly ChatMessage[], numTurnsLost: number): ChatMessage[] {
  const starts = turnStarts(messages);
  const start = starts[Math.min(numTurnsLost, starts.length - 1)] ?? 0;
  return messages.filter((message, index) => index >= start || message.role === 'system');
}

/** Indices of the users' messages. */
const turnStarts = (messages: readonly ChatMessage[]): number[] =>
  messages.flatMap((message, index) => (message.role === 'user' ? [index] : []));

/** The longest rest of a conversation that fits, by halving; undefined when not even its last turn does. */
export function fittingMessages(
  messages: readonly ChatMessage[],
  fits: (messages: ChatMessage[]) => boolean,
): ChatMessage[] | undefined {
  let [low, high] = [0, Math.max(0, turnStarts(messages).length - 1)];
  if (!fits(cutMessages(messages, high))) return undefined;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(cutMessages(messages, middle))) high = middle;
    else low = middle + 1;
  }
  return cutMessages(messages, low);
}
