import { defineFamily } from '../task.js';
import { capitalise, withArticle, chance } from '../template.js';
import { animals, clothes, foods, plants, things, vehicles } from '../words/nouns.js';
import {
  badWords,
  formalLines,
  goodWords,
  informalLines,
  plainLines,
  questionLines,
  reviewShapes,
  reviewSubjects,
  topicLines,
} from '../words/lines.js';

export const sentiment = defineFamily({
  name: 'sentiment',
  kind: 'classify',
  templates: [
    'Is this review positive or negative? {text}',
    'Sentiment: {text}',
    'Positive or negative: {text}',
    'Review: {text} Is the writer happy? Answer positive or negative.',
  ],
  draw: (random) => {
    const good = chance(random, 0.5);
    const word = random.pick(good ? goodWords : badWords);
    const text = random.pick(reviewShapes).replace('{s}', random.pick(reviewSubjects)).replace('{w}', word);
    return { slots: { text: capitalise(text) }, answer: good ? 'positive' : 'negative' };
  },
});

const classes = {
  animal: animals,
  plant: plants,
  food: foods,
  vehicle: vehicles,
  tool: things.slice(23, 26),
  clothing: clothes,
};
type ClassName = keyof typeof classes;
const seenClasses: ClassName[] = ['animal', 'plant', 'food', 'vehicle', 'clothing'];

export const wordClass = defineFamily({
  name: 'word-class',
  kind: 'classify',
  templates: [
    'Is {word} an animal, a plant, a food, a vehicle or clothing?',
    'What kind of thing is {word}?',
    'Class of the word {word}:',
    'Animal, plant, food, vehicle or clothing: {word}',
  ],
  draw: (random) => {
    const answer = random.pick(seenClasses);
    return { slots: { word: random.pick(classes[answer]) }, answer };
  },
});

const isA = (target: ClassName, article: string) => ({
  kind: 'classify' as const,
  templates: [
    `Is {word} ${article}? Answer yes or no.`,
    `Yes or no: {word} is ${article}.`,
    `Would you call {word} ${article}? Yes or no.`,
    `True or not, yes or no: a {word} is ${article}`,
  ],
  draw: (random: Parameters<typeof chance>[0]) => {
    const inside = chance(random, 0.5);
    const other = random.pick(seenClasses.filter((name) => name !== target));
    const word = random.pick(classes[inside ? target : other]);
    return { slots: { word }, answer: inside ? 'yes' : 'no' };
  },
});

export const isAnimal = defineFamily({ name: 'is-animal', ...isA('animal', 'an animal') });
export const isFood = defineFamily({ name: 'is-food', ...isA('food', 'a food') });
export const isVehicle = defineFamily({ name: 'is-vehicle', ...isA('vehicle', 'a vehicle') });
export const isPlant = defineFamily({ name: 'is-plant', split: 'heldout', ...isA('plant', 'a plant') });

export const oddOneOut = defineFamily({
  name: 'odd-one-out',
  kind: 'classify',
  weight: 1.3,
  templates: [
    'Which word does not belong: {list}',
    'Find the odd one out: {list}',
    'One of these is different: {list}. Which one?',
    'Which does not fit with the others? {list}',
  ],
  draw: (random) => {
    const [main, odd] = random.shuffle(seenClasses);
    const answer = random.pick(classes[odd]);
    const list = random.shuffle([answer, ...random.shuffle(classes[main]).slice(0, 2)]);
    return { slots: { list: list.join(', ') }, answer };
  },
});

export const topic = defineFamily({
  name: 'topic',
  kind: 'classify',
  templates: [
    'What is the topic: sport, food, weather or travel? {text}',
    'Topic of this text: {text}',
    'Sport, food, weather or travel: {text}',
    'Which topic fits? {text}',
  ],
  draw: (random) => {
    const answer = random.pick(Object.keys(topicLines) as (keyof typeof topicLines)[]);
    return { slots: { text: topicLines[answer](random) }, answer };
  },
});

export const formality = defineFamily({
  name: 'formality',
  kind: 'classify',
  templates: [
    'Is this formal or informal? {text}',
    'Formal or informal: {text}',
    'Style of this message: {text}',
    'Tell me if this is formal or informal: {text}',
  ],
  draw: (random) => {
    const formal = chance(random, 0.5);
    return { slots: { text: (formal ? formalLines : informalLines)(random) }, answer: formal ? 'formal' : 'informal' };
  },
});

export const isQuestion = defineFamily({
  name: 'is-question',
  kind: 'classify',
  templates: [
    'Is this a question? {text}',
    'Question or not, yes or no: {text}',
    'Does this ask something? Yes or no: {text}',
    'Say yes if this is a question, no if not: {text}',
  ],
  draw: (random) => {
    const asks = chance(random, 0.5);
    return { slots: { text: (asks ? questionLines : plainLines)(random) }, answer: asks ? 'yes' : 'no' };
  },
});

export const sameOrDifferent = defineFamily({
  name: 'same-or-different',
  kind: 'classify',
  templates: [
    'Are these words the same or different: {a}, {b}',
    'Same or different: {a} and {b}',
    '{A} and {b}: same or different?',
    'Compare {a} with {b}. Same or different?',
  ],
  draw: (random) => {
    const a = random.pick(things);
    const b = chance(random, 0.5) ? a : random.pick(things.filter((other) => other !== a));
    return { slots: { a, b, A: capitalise(a) }, answer: a === b ? 'same' : 'different' };
  },
});

export const articleFor = defineFamily({
  name: 'article',
  kind: 'classify',
  templates: [
    'Put a or an before {word}.',
    'A or an: {word}',
    'Write {word} with the right article, a or an.',
    'Which is right, a or an? {word}',
  ],
  draw: (random) => {
    const word = random.pick([...animals, ...things, ...clothes]);
    return { slots: { word }, answer: withArticle(word) };
  },
});
