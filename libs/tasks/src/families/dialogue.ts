import type { Random } from '@attune/platform';
import { defineFamily, type ChatMessage } from '../task.js';
import { between, sample } from '../template.js';
import { inventedName, people } from '../words/names.js';
import { animals, colours, commonNouns, foods } from '../words/nouns.js';
import { easyQuestion } from './easy-question.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const anyName = (random: Random) => (random.int(2) === 0 ? random.pick(people) : inventedName(random));

/** Something said in between, so that what is asked for lies further back. */
function smallTalk(random: Random): ChatMessage[] {
  if (random.int(2) === 0) return [];
  const { question, answer } = easyQuestion(random);
  return [user(question), assistant(answer)];
}

export const recallName = defineFamily({
  name: 'recall-name',
  kind: 'dialogue',
  templates: ['What is my name?', 'Do you remember my name?', 'Who am I?', 'Tell me my name.'],
  draw: (random) => {
    const name = anyName(random);
    const said = random.pick([`My name is ${name}.`, `I am ${name}.`, `Hello, I am ${name}.`, `Call me ${name}.`]);
    return {
      before: [user(said), assistant(`Hello, ${name}! How can I help?`), ...smallTalk(random)],
      answer: `Your name is ${name}.`,
    };
  },
});

const favourites = { colour: colours, food: foods, animal: animals };

const noted = (key: string, value: string) => `Noted: your favourite ${key} is ${value}.`;

export const recallFavourite = defineFamily({
  name: 'recall-favourite',
  kind: 'dialogue',
  templates: [
    'What is my favourite {key}?',
    'Which {key} do I like most?',
    'Do you remember my favourite {key}?',
    'Tell me my favourite {key}.',
  ],
  draw: (random) => {
    const key = random.pick(Object.keys(favourites) as (keyof typeof favourites)[]);
    const value = random.pick(favourites[key]);
    const said = random.pick([
      `My favourite ${key} is ${value}.`,
      `Remember: my favourite ${key} is ${value}.`,
      `The ${key} I like most is ${value}.`,
    ]);
    const before = [user(said), assistant(noted(key, value)), ...smallTalk(random)];
    return { slots: { key }, before, answer: `Your favourite ${key} is ${value}.` };
  },
});

export const takeNote = defineFamily({
  name: 'take-note',
  kind: 'dialogue',
  weight: 0.6,
  templates: [
    'My favourite {key} is {value}.',
    'Remember: my favourite {key} is {value}.',
    'The {key} I like most is {value}.',
    'Please note that my favourite {key} is {value}.',
  ],
  draw: (random) => {
    const key = random.pick(Object.keys(favourites) as (keyof typeof favourites)[]);
    const value = random.pick(favourites[key]);
    return { slots: { key, value }, answer: noted(key, value) };
  },
});

export const recallNumber = defineFamily({
  name: 'recall-number',
  kind: 'dialogue',
  templates: [
    'Which number did I give you?',
    'What was my number?',
    'Tell me the number.',
    'Do you remember the number?',
  ],
  draw: (random) => {
    const number = String(between(random, 10, 999));
    const said = random.pick([
      `Remember the number ${number}.`,
      `My number is ${number}.`,
      `Keep this number: ${number}`,
    ]);
    return { before: [user(said), assistant(`Noted: ${number}.`), ...smallTalk(random)], answer: number };
  },
});

const changes: readonly [string, (words: readonly string[]) => string][] = [
  ['in upper case', (words) => words.join(', ').toUpperCase()],
  ['in reverse order', (words) => [...words].reverse().join(', ')],
  ['as a bullet list', (words) => words.map((word) => `- ${word}`).join('\n')],
  ['as a numbered list', (words) => words.map((word, i) => `${i + 1}. ${word}`).join('\n')],
];

export const followUp = defineFamily({
  name: 'follow-up',
  kind: 'dialogue',
  weight: 1.3,
  templates: ['Now {how}.', 'Please write it {how}.', 'Again, but {how}.', 'Give me that {how}.'],
  draw: (random) => {
    const words = sample(random, commonNouns, between(random, 2, 3));
    const [how, change] = random.pick(changes);
    const asked = random.pick(['Join with commas: ', 'Put commas between these words: ']) + words.join(' ');
    return { slots: { how }, before: [user(asked), assistant(words.join(', '))], answer: change(words) };
  },
});
