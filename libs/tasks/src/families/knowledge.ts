import { defineFamily } from '../task.js';
import { withArticle } from '../template.js';
import { animalSounds, capitals, definitions, opposites, pastTenses, plural } from '../words/facts.js';
import { countables } from '../words/nouns.js';

export const capitalOf = defineFamily({
  name: 'capital-of',
  kind: 'knowledge',
  weight: 1.3,
  templates: [
    'What is the capital of {country}?',
    'Capital of {country}?',
    'Name the capital of {country}.',
    'Which city is the capital of {country}?',
    "Tell me {country}'s capital.",
  ],
  draw: (random) => {
    const [country, answer] = random.pick(capitals);
    return { slots: { country }, answer };
  },
});

export const countryOf = defineFamily({
  name: 'country-of',
  kind: 'knowledge',
  weight: 1.3,
  templates: [
    '{city} is the capital of which country?',
    'Which country has the capital {city}?',
    'In which country is {city}?',
    'Where is {city}?',
  ],
  draw: (random) => {
    const [answer, city] = random.pick(capitals);
    return { slots: { city }, answer };
  },
});

export const opposite = defineFamily({
  name: 'opposite',
  kind: 'knowledge',
  templates: [
    'What is the opposite of {word}?',
    'Opposite of {word}:',
    'Give the opposite of {word}.',
    'Say the opposite: {word}',
    'Which word means the opposite of {word}?',
  ],
  draw: (random) => {
    const [word, answer] = random.pick(opposites);
    return { slots: { word }, answer };
  },
});

export const definition = defineFamily({
  name: 'definition',
  kind: 'knowledge',
  templates: [
    'What is {word}?',
    'Define {word}.',
    'What does {word} mean?',
    'Explain the word {word}.',
    'Meaning of {word}:',
  ],
  draw: (random) => {
    const [word, answer] = random.pick(definitions);
    return { slots: { word }, answer };
  },
});

export const wordFor = defineFamily({
  name: 'word-for',
  kind: 'knowledge',
  templates: [
    'What do you call {meaning}?',
    'One word for: {meaning}',
    'Which word means {meaning}?',
    'Name it: {meaning}',
  ],
  draw: (random) => {
    const [answer, meaning] = random.pick(definitions);
    return { slots: { meaning }, answer };
  },
});

export const animalSound = defineFamily({
  name: 'animal-sound',
  kind: 'knowledge',
  weight: 0.6,
  templates: [
    'What does {animal} say?',
    'Which sound does {animal} make?',
    'Sound of {animal}:',
    'How does {animal} sound?',
    'Make the sound of {animal}.',
  ],
  draw: (random) => {
    const [animal, answer] = random.pick(animalSounds);
    return { slots: { animal: withArticle(animal) }, answer };
  },
});

export const pluralOf = defineFamily({
  name: 'plural',
  kind: 'knowledge',
  templates: [
    'What is the plural of {word}?',
    'Plural of {word}:',
    'One {word}, two ...?',
    'Write the plural: {word}',
    'Many of {word}:',
  ],
  draw: (random) => {
    const word = random.pick(countables);
    return { slots: { word }, answer: plural(word) };
  },
});

export const singularOf = defineFamily({
  name: 'singular',
  kind: 'knowledge',
  split: 'heldout',
  templates: [
    'What is the singular of {word}?',
    'Singular of {word}:',
    'Two {word}, one ...?',
    'Write the singular: {word}',
  ],
  draw: (random) => {
    const answer = random.pick(countables);
    return { slots: { word: plural(answer) }, answer };
  },
});

export const pastTense = defineFamily({
  name: 'past-tense',
  kind: 'knowledge',
  weight: 0.8,
  templates: [
    'What is the past tense of {verb}?',
    'Past of {verb}:',
    'Today I {verb}. Yesterday I ...?',
    'Put {verb} in the past.',
    'Past tense: {verb}',
  ],
  draw: (random) => {
    const [verb, answer] = random.pick(pastTenses);
    return { slots: { verb }, answer };
  },
});
