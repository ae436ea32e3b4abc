import { openaiPreferenceRow } from '@attune/contracts';
import { defineFormat } from '../example.js';
import { fromRowMessages, fromRowTools, oneAnswer, toRowTools } from '../messages.js';

/** OpenAI's rows for direct preference optimisation. */
export const openaiPreference = defineFormat({
  name: 'openai-preference',
  keys: ['input', 'preferred_output', 'non_preferred_output'],
  schema: openaiPreferenceRow,
  read: ({ input, preferred_output, non_preferred_output }) => [
    {
      kind: 'preference',
      prompt: fromRowMessages(input.messages),
      chosen: oneAnswer(fromRowMessages(preferred_output), 'preferred_output'),
      rejected: oneAnswer(fromRowMessages(non_preferred_output), 'non_preferred_output'),
      ...fromRowTools(input.tools),
    },
  ],
  write: (example) =>
    example.kind === 'preference'
      ? {
          input: { messages: example.prompt, ...toRowTools(example.tools) },
          preferred_output: [example.chosen],
          non_preferred_output: [example.rejected],
        }
      : null,
});
