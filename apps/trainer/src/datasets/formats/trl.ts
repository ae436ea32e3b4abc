import {
  type ChatMessage,
  judgedConversationRow,
  preferenceRow,
  promptCompletionRow,
  unpairedRow,
} from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { defineFormat } from '../example.js';
import { fromRowMessages, fromRowTools, fromTurn, oneAnswer, toRowTools } from '../messages.js';

/** TRL's prompt and completion; written as conversations, which lose nothing. */
export const promptCompletion = defineFormat({
  name: 'trl-prompt-completion',
  keys: ['prompt', 'completion'],
  schema: promptCompletionRow,
  read({ prompt, completion, tools }) {
    const asked = fromTurn(prompt, 'user');
    // What stands in the prompt is context, its assistant turns too.
    const untrained = asked.flatMap(({ role }, i) => (role === 'assistant' ? [i] : []));
    const messages = [...asked, ...fromTurn(completion, 'assistant')];
    return [{ kind: 'conversation', messages, ...fromRowTools(tools), ...(untrained.length > 0 ? { untrained } : {}) }];
  },
  write(example) {
    if (example.kind !== 'conversation') return null;
    const { messages } = example;
    const last = messages.length - 1;
    const earlier = messages.flatMap(({ role }, i) => (role === 'assistant' && i < last ? [i] : []));
    // Only the completion is learnt from, so every earlier turn of the assistant must be context.
    if (messages[last]?.role !== 'assistant' || earlier.join() !== (example.untrained ?? []).join()) return null;
    return { prompt: messages.slice(0, last), completion: messages.slice(last), ...toRowTools(example.tools) };
  },
});

/** TRL's unpaired preferences, for KTO. */
export const unpaired = defineFormat({
  name: 'trl-unpaired',
  keys: ['prompt', 'completion', 'label'],
  schema: unpairedRow,
  read: ({ prompt, completion, label, tools }) => [
    {
      kind: 'thumb',
      prompt: fromTurn(prompt, 'user'),
      answer: oneAnswer(fromTurn(completion, 'assistant'), 'completion'),
      liked: label,
      ...fromRowTools(tools),
    },
  ],
  write: (example) =>
    example.kind === 'thumb'
      ? { prompt: example.prompt, completion: [example.answer], label: example.liked, ...toRowTools(example.tools) }
      : null,
});

/** A conversation with a thumb on its last turn. */
export const judgedConversation = defineFormat({
  name: 'judged-conversation',
  keys: ['messages', 'label'],
  schema: judgedConversationRow,
  read({ messages, label, tools }) {
    const all = fromRowMessages(messages);
    const answer = oneAnswer(all.slice(-1), 'messages’ last entry');
    return [{ kind: 'thumb', prompt: all.slice(0, -1), answer, liked: label, ...fromRowTools(tools) }];
  },
  write: (example) =>
    example.kind === 'thumb'
      ? { messages: [...example.prompt, example.answer], label: example.liked, ...toRowTools(example.tools) }
      : null,
});

/** TRL's preferences, with the prompt named or as what both conversations begin with. */
export const preference = defineFormat({
  name: 'trl-preference',
  keys: ['chosen', 'rejected'],
  schema: preferenceRow,
  read({ prompt, chosen, rejected, tools }) {
    const [better, worse] = [fromTurn(chosen, 'assistant'), fromTurn(rejected, 'assistant')];
    const shared = prompt === undefined ? commonStart(better, worse) : 0;
    if (prompt === undefined && shared === 0)
      throw new InvalidRequestError('the row has no `prompt`, and `chosen` and `rejected` begin differently');
    return [
      {
        kind: 'preference',
        prompt: prompt === undefined ? better.slice(0, shared) : fromTurn(prompt, 'user'),
        chosen: oneAnswer(better.slice(shared), 'chosen'),
        rejected: oneAnswer(worse.slice(shared), 'rejected'),
        ...fromRowTools(tools),
      },
    ];
  },
  write: (example) =>
    example.kind === 'preference'
      ? {
          prompt: example.prompt,
          chosen: [example.chosen],
          rejected: [example.rejected],
          ...toRowTools(example.tools),
        }
      : null,
});

/** Messages both conversations begin with; the last one of each is its answer, also when they are the same. */
function commonStart(better: readonly ChatMessage[], worse: readonly ChatMessage[]): number {
  const most = Math.min(better.length, worse.length) - 1;
  const differs = better.slice(0, most).findIndex((message, i) => JSON.stringify(message) !== JSON.stringify(worse[i]));
  return differs < 0 ? Math.max(0, most) : differs;
}
