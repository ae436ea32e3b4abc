import type { Random } from '@attune/platform';
import { cities, people } from './names.js';
import { colours, foods, things } from './nouns.js';

/** Makers of short lines for the classification families. */
type Lines = (random: Random) => string;
const choose =
  (...shapes: Lines[]): Lines =>
  (random) =>
    random.pick(shapes)(random);

export const goodWords = [
  'great',
  'lovely',
  'perfect',
  'wonderful',
  'excellent',
  'very good',
  'amazing',
  'nice',
  'fantastic',
];
export const badWords = [
  'awful',
  'terrible',
  'bad',
  'boring',
  'horrible',
  'very poor',
  'disgusting',
  'broken',
  'useless',
];
export const reviewSubjects = [
  'food',
  'film',
  'hotel',
  'book',
  'service',
  'room',
  'show',
  'trip',
  'phone',
  'game',
  'coffee',
  'shop',
];
export const reviewShapes = [
  'the {s} was {w}.',
  'I think the {s} is {w}.',
  'a truly {w} {s}!',
  'the {s}? {w}!',
  'we found the {s} {w}.',
  'my friend says the {s} was {w}.',
];

export const topicLines = {
  sport: choose(
    (r) => `${r.pick(people)} won the ${r.pick(['match', 'race', 'game', 'final'])}.`,
    (r) => `The team from ${r.pick(cities)} scored ${2 + r.int(5)} goals.`,
    (r) => `${r.pick(people)} plays ${r.pick(['tennis', 'football', 'golf', 'hockey'])}.`,
  ),
  food: choose(
    (r) => `${r.pick(people)} cooks ${r.pick(foods)} and ${r.pick(foods)}.`,
    (r) => `Add ${r.pick(foods)} and stir the ${r.pick(foods)}.`,
    (r) => `The ${r.pick(foods)} tastes good with ${r.pick(foods)}.`,
  ),
  weather: choose(
    (r) => `It will ${r.pick(['rain', 'snow', 'be sunny', 'be windy'])} in ${r.pick(cities)}.`,
    (r) => `A storm comes to ${r.pick(cities)} at night.`,
    (r) => `The sky over ${r.pick(cities)} is ${r.pick(['clear', 'grey', 'cloudy'])}.`,
  ),
  travel: choose(
    (r) => `${r.pick(people)} takes a ${r.pick(['flight', 'train', 'bus'])} to ${r.pick(cities)}.`,
    (r) => `The hotel in ${r.pick(cities)} has a free room.`,
    (r) => `Our trip to ${r.pick(cities)} starts today.`,
  ),
} satisfies Record<string, Lines>;

export const formalLines = choose(
  (r) => `Dear ${r.pick(['Sir', 'Madam'])}, please find the ${r.pick(things)} enclosed.`,
  (r) => `We regret to inform you that the ${r.pick(things)} is late.`,
  (r) => `I would be grateful if you could send the ${r.pick(things)}.`,
  (r) => `Yours sincerely, ${r.pick(people)}`,
);
export const informalLines = choose(
  (r) => `hey ${r.pick(people)}, got the ${r.pick(things)}?`,
  (r) => `lol the ${r.pick(things)} is so cool`,
  (r) => `gonna grab a ${r.pick(things)}, see ya`,
  (r) => `yo ${r.pick(people)}, what's up`,
);

export const questionLines = choose(
  (r) => `Where is the ${r.pick(things)}?`,
  (r) => `Do you like ${r.pick(foods)}?`,
  (r) => `Who has the ${r.pick(colours)} ${r.pick(things)}`,
  (r) => `Can ${r.pick(people)} come`,
  (r) => `Why did ${r.pick(people)} buy a ${r.pick(things)}?`,
);
export const plainLines = choose(
  (r) => `The ${r.pick(things)} is here.`,
  (r) => `${r.pick(people)} likes ${r.pick(foods)}.`,
  (r) => `The ${r.pick(colours)} ${r.pick(things)} is gone`,
  (r) => `${r.pick(people)} can come`,
  (r) => `${r.pick(people)} bought a ${r.pick(things)}.`,
);
