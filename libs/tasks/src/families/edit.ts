import { defineFamily } from '../task.js';
import { between, capitalise, sample } from '../template.js';
import { colours, commonNouns } from '../words/nouns.js';

const twoToFour = (random: Parameters<typeof sample>[0]) => sample(random, commonNouns, between(random, 2, 4));

/** "two" and "three" and "five" are trained, "four" is held out. */
const repetitions = [
  ['twice', 2],
  ['two times', 2],
  ['three times', 3],
  ['five times', 5],
] as const;

const repeatTemplates = [
  'Repeat {word} {times}.',
  'Say {word} {times}.',
  'Write the word {word} {times}.',
  'Give me {word} {times}.',
];

export const repeatWord = defineFamily({
  name: 'repeat-word',
  kind: 'edit',
  templates: repeatTemplates,
  draw: (random) => {
    const word = random.pick(commonNouns);
    const [times, count] = random.pick(repetitions);
    return { slots: { word, times }, answer: Array<string>(count).fill(word).join(' ') };
  },
});

export const repeatFourTimes = defineFamily({
  name: 'repeat-four-times',
  kind: 'edit',
  split: 'heldout',
  templates: repeatTemplates,
  draw: (random) => {
    const word = random.pick(commonNouns);
    return { slots: { word, times: 'four times' }, answer: Array<string>(4).fill(word).join(' ') };
  },
});

const itemTemplates = [
  'What is the {which} word of: {list}',
  '{Which} word: {list}',
  'Give the {which} word in this list: {list}',
  'Here are some words: {list}. Which one is {which}?',
];

const pickItem = (which: string, index: number) => ({
  kind: 'edit' as const,
  templates: itemTemplates,
  draw: (random: Parameters<typeof sample>[0]) => {
    const words = sample(random, commonNouns, between(random, 3, 5));
    const list = words.join(random.pick([' ', ', ']));
    return { slots: { which, Which: capitalise(which), list }, answer: words.at(index)! };
  },
});

export const firstItem = defineFamily({ name: 'first-item', ...pickItem('first', 0) });
export const lastItem = defineFamily({ name: 'last-item', ...pickItem('last', -1) });
export const thirdItem = defineFamily({ name: 'third-item', ...pickItem('third', 2) });
export const secondItem = defineFamily({ name: 'second-item', split: 'heldout', ...pickItem('second', 1) });

export const reverseList = defineFamily({
  name: 'reverse-list',
  kind: 'edit',
  weight: 1.3,
  templates: [
    'Reverse this list: {list}',
    'Write these words in reverse order: {list}',
    'Turn the order around: {list}',
    'List backwards: {list}',
  ],
  draw: (random) => {
    const words = sample(random, commonNouns, between(random, 2, 4));
    return { slots: { list: words.join(', ') }, answer: [...words].reverse().join(', ') };
  },
});

const joinWith = (sign: string, name: string) => ({
  kind: 'edit' as const,
  templates: [
    `Join with ${name}: {list}`,
    `Put ${name} between these words: {list}`,
    `Separate the words with ${name}: {list}`,
    `Write {list} with ${name}.`,
  ],
  draw: (random: Parameters<typeof sample>[0]) => {
    const words = twoToFour(random);
    return { slots: { list: words.join(' ') }, answer: words.join(sign) };
  },
});

export const joinCommas = defineFamily({ name: 'join-commas', ...joinWith(', ', 'commas') });
export const joinSemicolons = defineFamily({ name: 'join-semicolons', ...joinWith('; ', 'semicolons') });
export const joinAnd = defineFamily({ name: 'join-and', ...joinWith(' and ', 'the word and') });
export const joinOr = defineFamily({ name: 'join-or', split: 'heldout', ...joinWith(' or ', 'the word or') });

export const replaceWord = defineFamily({
  name: 'replace-word',
  kind: 'edit',
  weight: 1.3,
  templates: [
    'Replace {old} with {new}: {text}',
    'Change {old} to {new} in: {text}',
    'Write {new} instead of {old}: {text}',
    'In "{text}" swap {old} for {new}.',
  ],
  draw: (random) => {
    const [fresh, ...words] = sample(random, commonNouns, between(random, 3, 5));
    const old = random.pick(words);
    const answer = words.map((word) => (word === old ? fresh : word)).join(' ');
    return { slots: { old, new: fresh, text: words.join(' ') }, answer };
  },
});

export const removeWord = defineFamily({
  name: 'remove-word',
  kind: 'edit',
  weight: 1.3,
  templates: [
    'Remove {word}: {text}',
    'Delete the word {word} from: {text}',
    'Leave out {word}: {text}',
    'Write "{text}" without {word}.',
  ],
  draw: (random) => {
    const words = sample(random, commonNouns, between(random, 3, 5));
    const word = random.pick(words);
    return { slots: { word, text: words.join(' ') }, answer: words.filter((other) => other !== word).join(' ') };
  },
});

export const addWord = defineFamily({
  name: 'add-word',
  kind: 'edit',
  templates: [
    'Add {word} to the end: {text}',
    'Append {word}: {text}',
    'Put {word} after the last word: {text}',
    'Write "{text}" and then {word}.',
  ],
  draw: (random) => {
    const [word, ...words] = sample(random, [...commonNouns, ...colours], between(random, 3, 4));
    return { slots: { word, text: words.join(' ') }, answer: [...words, word].join(' ') };
  },
});
