import { defineFamily } from '../task.js';
import { between, sample } from '../template.js';
import { commonNouns } from '../words/nouns.js';

const drawNumbers = (random: Parameters<typeof sample>[0]) =>
  sample(
    random,
    Array.from({ length: 60 }, (_, i) => i),
    between(random, 2, 3),
  );

export const sortNumbers = defineFamily({
  name: 'sort-numbers',
  kind: 'sort',
  weight: 1.5,
  templates: [
    'Sort these numbers: {list}',
    'Put in order, smallest first: {list}',
    'Sort from small to large: {list}',
    'Order these numbers: {list}',
  ],
  draw: (random) => {
    const numbers = drawNumbers(random);
    return { slots: { list: numbers.join(', ') }, answer: [...numbers].sort((a, b) => a - b).join(', ') };
  },
});

export const sortNumbersDown = defineFamily({
  name: 'sort-numbers-down',
  kind: 'sort',
  weight: 1.5,
  templates: [
    'Put in order, largest first: {list}',
    'Sort from large to small: {list}',
    'Sort down: {list}',
    'Order these numbers from high to low: {list}',
  ],
  draw: (random) => {
    const numbers = drawNumbers(random);
    return { slots: { list: numbers.join(', ') }, answer: [...numbers].sort((a, b) => b - a).join(', ') };
  },
});

export const sortWords = defineFamily({
  name: 'sort-words',
  kind: 'sort',
  weight: 1.5,
  templates: [
    'Sort by the alphabet: {list}',
    'Put these words in ABC order: {list}',
    'Sort these words: {list}',
    'Alphabetical order: {list}',
  ],
  draw: (random) => {
    const words = differentInitials(sample(random, commonNouns, 20)).slice(0, between(random, 2, 3));
    return { slots: { list: words.join(', ') }, answer: [...words].sort().join(', ') };
  },
});

function differentInitials(words: readonly string[]): string[] {
  return words.filter((word, i) => words.findIndex((other) => other[0] === word[0]) === i);
}
