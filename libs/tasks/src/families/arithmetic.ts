import { defineFamily } from '../task.js';
import { between, sample } from '../template.js';
import { commonNouns } from '../words/nouns.js';

const twoDifferent = (random: Parameters<typeof sample>[0], limit: number): [number, number] => {
  const a = random.int(limit);
  return [a, (a + 1 + random.int(limit - 1)) % limit];
};
const threeDifferent = (random: Parameters<typeof sample>[0], limit: number): number[] => {
  const [a, b] = twoDifferent(random, limit);
  let c = random.int(limit);
  while (c === a || c === b) c = random.int(limit);
  return [a, b, c];
};

export const add = defineFamily({
  name: 'add',
  kind: 'arithmetic',
  weight: 2.5,
  templates: [
    'What is {a} plus {b}?',
    'Add {a} and {b}.',
    '{a} + {b} =',
    'What is {a} + {b}?',
    'How much is {a} and {b} together?',
  ],
  draw: (random) => {
    const [a, b] = [random.int(21), random.int(21)];
    return { slots: { a, b }, answer: String(a + b) };
  },
});

export const subtract = defineFamily({
  name: 'subtract',
  kind: 'arithmetic',
  weight: 2.5,
  templates: [
    'What is {a} minus {b}?',
    'Take {b} from {a}.',
    '{a} - {b} =',
    'What is {a} - {b}?',
    'Subtract {b} from {a}.',
  ],
  draw: (random) => {
    const a = random.int(21);
    const b = random.int(a + 1);
    return { slots: { a, b }, answer: String(a - b) };
  },
});

export const successor = defineFamily({
  name: 'successor',
  kind: 'arithmetic',
  templates: [
    'What number comes after {a}?',
    'Next number after {a}:',
    'Count on from {a}. What is next?',
    'Which number follows {a}?',
  ],
  draw: (random) => {
    const a = random.int(199);
    return { slots: { a }, answer: String(a + 1) };
  },
});

export const predecessor = defineFamily({
  name: 'predecessor',
  kind: 'arithmetic',
  templates: [
    'What number comes before {a}?',
    'Number before {a}:',
    'Count back from {a}. What is next?',
    'Which number is one less than {a}?',
  ],
  draw: (random) => {
    const a = between(random, 1, 199);
    return { slots: { a }, answer: String(a - 1) };
  },
});

export const countWords = defineFamily({
  name: 'count-words',
  kind: 'arithmetic',
  weight: 1.3,
  templates: [
    'How many words are here: {list}',
    'Count the words: {list}',
    'How many words: {list}?',
    'Here is a list: {list}. How many words are in it?',
  ],
  draw: (random) => {
    const words = sample(random, commonNouns, between(random, 1, 6));
    return { slots: { list: words.join(random.pick([' ', ', '])) }, answer: String(words.length) };
  },
});

export const evenOdd = defineFamily({
  name: 'even-odd',
  kind: 'arithmetic',
  templates: [
    'Is {a} even or odd?',
    'Even or odd: {a}',
    'Tell me if {a} is even or odd.',
    'The number {a}: is it even or odd?',
  ],
  draw: (random) => {
    const a = random.int(500);
    return { slots: { a }, answer: a % 2 === 0 ? 'even' : 'odd' };
  },
});

const extremes = {
  larger: { words: ['larger', 'bigger'], choose: Math.max, superlatives: ['largest', 'biggest'] },
  smaller: { words: ['smaller', 'lower'], choose: Math.min, superlatives: ['smallest', 'lowest'] },
};

const ofTwo = (extreme: keyof typeof extremes) => ({
  kind: 'arithmetic' as const,
  weight: 1.3,
  templates: [
    'Which is {word}, {a} or {b}?',
    'Which number is {word}: {a} or {b}?',
    'Give the {word} of {a} and {b}.',
    'Numbers: {a}, {b}. Which one is {word}?',
  ],
  draw: (random: Parameters<typeof sample>[0]) => {
    const [a, b] = twoDifferent(random, 100);
    return {
      slots: { a, b, word: random.pick(extremes[extreme].words) },
      answer: String(extremes[extreme].choose(a, b)),
    };
  },
});

const ofThree = (extreme: keyof typeof extremes) => ({
  kind: 'arithmetic' as const,
  weight: 1.3,
  templates: [
    'Which is {word}, {a}, {b} or {c}?',
    'Which number is {word}: {a}, {b} or {c}?',
    'Give the {word} of {a}, {b} and {c}.',
    'Numbers: {a}, {b}, {c}. Which one is {word}?',
  ],
  draw: (random: Parameters<typeof sample>[0]) => {
    const [a, b, c] = threeDifferent(random, 100);
    const word = random.pick(extremes[extreme].superlatives);
    return { slots: { a, b, c, word }, answer: String(extremes[extreme].choose(a, b, c)) };
  },
});

export const largerOfTwo = defineFamily({ name: 'larger-of-two', ...ofTwo('larger') });
export const smallerOfTwo = defineFamily({ name: 'smaller-of-two', ...ofTwo('smaller') });
export const largestOfThree = defineFamily({ name: 'largest-of-three', ...ofThree('larger') });
export const smallestOfThree = defineFamily({ name: 'smallest-of-three', split: 'heldout', ...ofThree('smaller') });
