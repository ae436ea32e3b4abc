import { alpacaRow, type ChatMessage } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { defineFormat } from '../example.js';

/** Alpaca's instruction, input and output; with `chosen` and `rejected` it is a preference. */
export const alpaca = defineFormat({
  name: 'alpaca',
  keys: ['instruction'],
  schema: alpacaRow,
  read({ instruction, input, output, system, chosen, rejected }) {
    const question = input?.trim() ? `${instruction}\n\n${input}` : instruction;
    const prompt: ChatMessage[] = [
      ...(system ? [{ role: 'system' as const, content: system }] : []),
      { role: 'user', content: question },
    ];
    if (chosen !== undefined && rejected !== undefined)
      return [{ kind: 'preference', prompt, chosen: says(chosen), rejected: says(rejected) }];
    if (!output) throw new InvalidRequestError('the row has neither `output` nor `chosen` and `rejected`');
    return [{ kind: 'conversation', messages: [...prompt, says(output)] }];
  },
  write(example) {
    if (example.tools?.length || example.kind === 'thumb' || example.kind === 'ranking') return null;
    const messages = example.kind === 'preference' ? [...example.prompt, example.chosen] : example.messages;
    const asked = singleQuestion(messages);
    if (!asked) return null;
    const { answer, ...row } = asked;
    if (example.kind === 'conversation') return { ...row, input: '', output: answer };
    return { ...row, input: '', chosen: answer, rejected: example.rejected.content };
  },
});

const says = (content: string): ChatMessage => ({ role: 'assistant', content });

/** A conversation of one question and one answer, perhaps under a system message; null for any other. */
function singleQuestion(messages: readonly ChatMessage[]) {
  const system = messages[0]?.role === 'system' ? messages[0].content : undefined;
  const [question, answer, ...rest] = system === undefined ? messages : messages.slice(1);
  if (question?.role !== 'user' || answer?.role !== 'assistant' || rest.length > 0 || answer.tool_calls) return null;
  return { ...(system === undefined ? {} : { system }), instruction: question.content, answer: answer.content };
}
