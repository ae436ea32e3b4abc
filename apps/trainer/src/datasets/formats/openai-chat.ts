import { openaiChatRow } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { defineFormat } from '../example.js';
import { fromRowMessages, fromRowTools, toRowTools } from '../messages.js';

/** OpenAI's supervised fine-tuning rows; TRL's `messages` are the same. */
export const openaiChat = defineFormat({
  name: 'openai-chat',
  keys: ['messages'],
  schema: openaiChatRow,
  read({ messages, tools }) {
    if (!messages.some(({ role }) => role === 'assistant'))
      throw new InvalidRequestError('`messages` has no turn of the assistant to learn from');
    const untrained = messages.flatMap(({ role, weight }, i) => (role === 'assistant' && weight === 0 ? [i] : []));
    return [
      {
        kind: 'conversation',
        messages: fromRowMessages(messages),
        ...fromRowTools(tools),
        ...(untrained.length > 0 ? { untrained } : {}),
      },
    ];
  },
  write(example) {
    if (example.kind !== 'conversation') return null;
    const untrained = new Set(example.untrained);
    const messages = example.messages.map((message, i) => (untrained.has(i) ? { ...message, weight: 0 } : message));
    return { messages, ...toRowTools(example.tools) };
  },
});
