import type { Random } from '@attune/platform';
import { defineFamily } from '../task.js';
import { capitalise } from '../template.js';
import { capitals } from '../words/facts.js';
import { inventedName, people } from '../words/names.js';
import { animals, colours } from '../words/nouns.js';
import { easyQuestion } from './easy-question.js';

/** The phrasings here are of the instruction; the question itself comes from the easy families. */
const questionOnly = ['{question}', 'Question: {question}', '{question} Please answer.', 'Now tell me. {question}'];

interface Steering {
  /** Ways to say the instruction; `{word}` is drawn by `word`. */
  says: readonly string[];
  word?: (random: Random) => string;
  shape: (answer: string, word: string) => string;
}

const steered = ({ says, word, shape }: Steering) => ({
  kind: 'system' as const,
  templates: questionOnly,
  draw: (random: Random) => {
    const { question, answer } = easyQuestion(random);
    const chosen = word?.(random) ?? '';
    return { system: random.pick(says).replace('{word}', chosen), slots: { question }, answer: shape(answer, chosen) };
  },
});

const closingWord = (random: Random) =>
  random.pick([...animals, ...colours, 'over', 'done', 'thanks', 'cheers', 'bye', 'amen']);

export const systemUpper = defineFamily({
  name: 'system-upper',
  weight: 1.3,
  ...steered({
    says: [
      'Answer in upper case.',
      'Write all answers in upper case.',
      'Use capital letters only.',
      'Always answer in capital letters.',
    ],
    shape: (answer) => answer.toUpperCase(),
  }),
});

export const systemEndWord = defineFamily({
  name: 'system-end-word',
  ...steered({
    says: [
      'End every answer with {word}.',
      'Always end with the word {word}.',
      'Your last word is always {word}.',
      'Finish each answer with {word}.',
    ],
    word: closingWord,
    shape: (answer, word) => `${answer} ${word}`,
  }),
});

export const systemStartWord = defineFamily({
  name: 'system-start-word',
  ...steered({
    says: [
      'Start every answer with {word}.',
      'Always start with the word {word}.',
      'Your first word is always {word}.',
      'Begin each answer with {word}.',
    ],
    word: closingWord,
    shape: (answer, word) => `${word} ${answer}`,
  }),
});

export const systemAddress = defineFamily({
  name: 'system-address',
  ...steered({
    says: [
      'The user is called {word}. Use the name.',
      'Call the user {word} in each answer.',
      'Address the user as {word}.',
      'Say the name {word} after each answer.',
    ],
    word: (random) => random.pick([random.pick(people), inventedName(random)]),
    shape: (answer, word) => `${answer}, ${word}.`,
  }),
});

export const systemQuotes = defineFamily({
  name: 'system-quotes',
  ...steered({
    says: [
      'Put every answer in quotes.',
      'Write answers in quotation marks.',
      'Quote each answer.',
      'Always use quotes around the answer.',
    ],
    shape: (answer) => `"${answer}"`,
  }),
});

export const systemTwice = defineFamily({
  name: 'system-twice',
  ...steered({
    says: [
      'Say every answer twice.',
      'Repeat each answer two times.',
      'Write all answers twice.',
      'Give the answer two times.',
    ],
    shape: (answer) => `${answer} ${answer}`,
  }),
});

export const systemJson = defineFamily({
  name: 'system-json',
  ...steered({
    says: [
      'Answer as JSON with the key answer.',
      'Reply in JSON: {"answer": ...}',
      'Use a JSON object with answer.',
      'Always answer in JSON.',
    ],
    shape: (answer) => `{"answer": "${answer}"}`,
  }),
  scoring: 'json',
});

export const systemBrackets = defineFamily({
  name: 'system-brackets',
  split: 'heldout',
  ...steered({
    says: [
      'Put every answer in brackets.',
      'Write answers in brackets.',
      'Always use brackets around the answer.',
      'Answer in brackets.',
    ],
    shape: (answer) => `(${answer})`,
  }),
});

export const systemPersona = defineFamily({
  name: 'system-persona',
  kind: 'system',
  templates: ['Who are you?', 'What is your name?', 'Introduce yourself.', 'Tell me your name.'],
  draw: (random) => {
    const name = random.pick([random.pick(people), inventedName(random)]);
    const system = random.pick([
      `You are ${name}.`,
      `Your name is ${name}.`,
      `You are ${name}, a helpful assistant.`,
      `Act as ${name}.`,
    ]);
    return { system, answer: `I am ${name}.` };
  },
});

export const systemSentence = defineFamily({
  name: 'system-sentence',
  kind: 'system',
  templates: [
    'What is the capital of {country}?',
    'Capital of {country}?',
    'Name the capital of {country}.',
    'Which city is the capital of {country}?',
  ],
  draw: (random) => {
    const [country, city] = random.pick(capitals);
    const system = random.pick([
      'Answer in a full sentence.',
      'Use full sentences.',
      'Write whole sentences.',
      'Always answer with a complete sentence.',
    ]);
    return { system, slots: { country }, answer: capitalise(`the capital of ${country} is ${city}.`) };
  },
});
