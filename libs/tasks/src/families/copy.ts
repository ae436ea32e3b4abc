import { defineFamily } from '../task.js';
import { phrase } from '../words/phrases.js';

export const repeatAfterMe = defineFamily({
  name: 'repeat-after-me',
  kind: 'copy',
  templates: [
    'Repeat after me: {text}',
    'Say exactly: {text}',
    'Copy this: {text}',
    'Echo: {text}',
    'Write the following: {text}',
  ],
  draw: (random) => {
    const text = phrase(random);
    return { slots: { text }, answer: text };
  },
});

export const quote = defineFamily({
  name: 'quote',
  kind: 'copy',
  templates: [
    'Put this in quotes: {text}',
    'Quote: {text}',
    'Write {text} inside quotation marks.',
    'Add quotation marks around: {text}',
  ],
  draw: (random) => {
    const text = phrase(random);
    return { slots: { text }, answer: `"${text}"` };
  },
});
