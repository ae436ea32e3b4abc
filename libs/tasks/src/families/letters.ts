import { defineFamily } from '../task.js';
import { between, capitalise, sample } from '../template.js';
import { commonNouns } from '../words/nouns.js';

export const uppercase = defineFamily({
  name: 'uppercase',
  kind: 'edit',
  weight: 1.5,
  templates: [
    'Write {text} in upper case.',
    'Uppercase: {text}',
    'Put this in capital letters: {text}',
    'Make "{text}" all caps.',
  ],
  draw: (random) => {
    const text = sample(random, commonNouns, between(random, 1, 2)).join(' ');
    return { slots: { text }, answer: text.toUpperCase() };
  },
});

export const lowercase = defineFamily({
  name: 'lowercase',
  kind: 'edit',
  weight: 1.5,
  templates: [
    'Write {text} in lower case.',
    'Lowercase: {text}',
    'Put this in small letters: {text}',
    'Remove the capitals from {text}.',
  ],
  draw: (random) => {
    const text = sample(random, commonNouns, between(random, 1, 2)).join(' ');
    return { slots: { text: text.toUpperCase() }, answer: text };
  },
});

export const capitaliseWords = defineFamily({
  name: 'capitalise-words',
  kind: 'edit',
  templates: [
    'Capitalise each word: {text}',
    'Start every word with a capital: {text}',
    'Title case: {text}',
    'Write "{text}" as a title.',
  ],
  draw: (random) => {
    const words = sample(random, commonNouns, between(random, 1, 3));
    return { slots: { text: words.join(' ') }, answer: words.map(capitalise).join(' ') };
  },
});

export const firstLetter = defineFamily({
  name: 'first-letter',
  kind: 'edit',
  templates: [
    'What is the first letter of {word}?',
    'First letter of {word}:',
    'Which letter does {word} start with?',
    'Give the first letter of the word {word}.',
  ],
  draw: (random) => {
    const word = random.pick(commonNouns);
    return { slots: { word }, answer: word[0] };
  },
});

export const lastLetter = defineFamily({
  name: 'last-letter',
  kind: 'edit',
  weight: 1.3,
  templates: [
    'What is the last letter of {word}?',
    'Last letter of {word}:',
    'Which letter does {word} end with?',
    'Give the last letter of the word {word}.',
  ],
  draw: (random) => {
    const word = random.pick(commonNouns);
    return { slots: { word }, answer: word.at(-1)! };
  },
});

export const secondLetter = defineFamily({
  name: 'second-letter',
  kind: 'edit',
  split: 'heldout',
  templates: [
    'What is the second letter of {word}?',
    'Second letter of {word}:',
    'Which letter is second in {word}?',
    'Give the second letter of the word {word}.',
  ],
  draw: (random) => {
    const word = random.pick(commonNouns);
    return { slots: { word }, answer: word[1] };
  },
});

export const spellWord = defineFamily({
  name: 'spell-word',
  kind: 'edit',
  weight: 1.5,
  templates: [
    'Spell {word}.',
    'How do you spell {word}?',
    'Spell the word {word} letter by letter.',
    'Write {word} with dashes between the letters.',
  ],
  draw: (random) => {
    const word = random.pick(commonNouns);
    return { slots: { word }, answer: [...word].join('-') };
  },
});
