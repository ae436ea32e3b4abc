import { type ChatMessage, type FunctionTool, shareGptRow, type ToolCall } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { z } from 'zod';
import { defineFormat } from '../example.js';
import { functionTool, oneAnswer } from '../messages.js';

interface Turn {
  readonly from: string;
  readonly value: string;
}

/** ShareGPT conversations; calls and results of tools are turns of their own. */
export const shareGpt = defineFormat({
  name: 'sharegpt',
  keys: ['conversations'],
  schema: shareGptRow,
  read({ conversations, system, tools, chosen, rejected }) {
    const instructed = system ? [{ from: 'system', value: system }, ...conversations] : conversations;
    const messages = fromTurns(instructed);
    const declared = tools?.trim() ? parseTools(tools) : [];
    const shared = declared.length > 0 ? { tools: declared } : {};
    if (chosen === undefined || rejected === undefined) return [{ kind: 'conversation', messages, ...shared }];
    const answer = (turn: Turn, what: string) => oneAnswer(fromTurns([turn]), what);
    const pair = { chosen: answer(chosen, 'chosen'), rejected: answer(rejected, 'rejected') };
    return [{ kind: 'preference', prompt: messages, ...pair, ...shared }];
  },
  write(example) {
    const tools = example.tools?.length ? { tools: JSON.stringify(example.tools) } : {};
    if (example.kind === 'conversation' && !example.untrained)
      return { conversations: toTurns(example.messages), ...tools };
    if (example.kind !== 'preference') return null;
    const { prompt, chosen, rejected } = example;
    // The last turns of a pair are one turn each: an answer that speaks and calls at once has no place.
    const [better, worse] = [toTurns([chosen]), toTurns([rejected])];
    if (better.length !== 1 || worse.length !== 1) return null;
    return { conversations: toTurns(prompt), chosen: better[0], rejected: worse[0], ...tools };
  },
});

const ROLES: Readonly<Record<string, 'system' | 'user' | 'assistant'>> = {
  system: 'system',
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
};
const SPEAKERS = { system: 'system', user: 'human', assistant: 'gpt', tool: 'observation' } as const;

function fromTurns(turns: readonly Turn[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let numCalls = 0;
  for (const { from, value } of turns) {
    const role = ROLES[from];
    if (role) messages.push({ role, content: value });
    else if (from === 'function_call') {
      const calls = parseCalls(value).map((call): ToolCall => ({ ...call, id: `call_${++numCalls}` }));
      messages.push({ role: 'assistant', content: '', tool_calls: calls });
    } else messages.push({ role: 'tool', content: value, tool_call_id: `call_${Math.max(1, numCalls)}` });
  }
  return messages;
}

function toTurns(messages: readonly ChatMessage[]): Turn[] {
  return messages.flatMap(({ role, content, tool_calls: calls }) => {
    const spoken = content !== '' || !calls?.length ? [{ from: SPEAKERS[role], value: content }] : [];
    return calls?.length ? [...spoken, { from: 'function_call', value: callsAsText(calls) }] : spoken;
  });
}

const call = z.looseObject({ name: z.string(), arguments: z.union([z.string(), z.looseObject({})]).default({}) });

function parseCalls(value: string): Omit<ToolCall, 'id'>[] {
  const found = z.union([z.array(call).min(1), call]).safeParse(parseJson(value));
  if (!found.success)
    throw new InvalidRequestError('a `function_call` turn is no JSON object with `name` and `arguments`');
  const calls = Array.isArray(found.data) ? found.data : [found.data];
  return calls.map(({ name, arguments: given }) => ({
    type: 'function',
    function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
  }));
}

function callsAsText(calls: readonly ToolCall[]): string {
  const plain = calls.map(({ function: { name, arguments: given } }) => ({
    name,
    arguments: parseJson(given) ?? given,
  }));
  return JSON.stringify(plain.length === 1 ? plain[0] : plain);
}

const toolList = z.array(
  z.looseObject({
    name: z.string(),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
);

function parseTools(value: string): FunctionTool[] {
  const found = toolList.safeParse(parseJson(value));
  if (!found.success) throw new InvalidRequestError('`tools` is no JSON list of functions with a name each');
  return found.data.map(({ name, description, parameters }) => functionTool(name, description, parameters));
}

/** Undefined for text that is no JSON. */
function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
