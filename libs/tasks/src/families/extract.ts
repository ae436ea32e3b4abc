import type { Random } from '@attune/platform';
import { defineFamily, type FamilySplit } from '../task.js';
import { between, capitalise, sample } from '../template.js';
import { cities, inventedName, people, weekdays } from '../words/names.js';
import { animals, colours, foods, jobs, things, vehicles } from '../words/nouns.js';

/** What a sentence can hold; each key is one thing to ask for. */
const makeParts = (random: Random) => ({
  name: random.int(3) === 0 ? inventedName(random) : random.pick(people),
  colour: random.pick(colours),
  number: String(between(random, 2, 60)),
  city: random.pick(cities),
  animal: random.pick(animals),
  food: random.pick(foods),
  thing: random.pick(things),
  vehicle: random.pick(vehicles),
  job: random.pick(jobs),
  day: random.pick(weekdays),
});
type Parts = ReturnType<typeof makeParts>;

/** Sentences and the parts they mention. */
const sentences: readonly { keys: readonly (keyof Parts)[]; say: (p: Parts) => string }[] = [
  { keys: ['name', 'colour', 'thing'], say: (p) => `${p.name} has a ${p.colour} ${p.thing}.` },
  {
    keys: ['name', 'number', 'thing', 'city'],
    say: (p) => `${p.name} sold ${p.number} of the ${p.thing}s in ${p.city}.`,
  },
  { keys: ['name', 'animal', 'city'], say: (p) => `${p.name} saw a ${p.animal} in ${p.city}.` },
  { keys: ['name', 'food', 'day'], say: (p) => `${p.name} eats ${p.food} on ${p.day}.` },
  { keys: ['vehicle', 'city', 'day'], say: (p) => `The ${p.vehicle} to ${p.city} leaves on ${p.day}.` },
  { keys: ['colour', 'vehicle', 'name'], say: (p) => `The ${p.colour} ${p.vehicle} belongs to ${p.name}.` },
  { keys: ['name', 'job', 'city'], say: (p) => `${p.name} is a ${p.job} in ${p.city}.` },
  { keys: ['animal', 'food', 'number'], say: (p) => `The ${p.animal} ate ${p.number} bags of ${p.food}.` },
  {
    keys: ['colour', 'animal', 'city', 'number'],
    say: (p) => `There are ${p.number} ${p.colour} chairs and a ${p.animal} in ${p.city}.`,
  },
  { keys: ['job', 'food', 'day'], say: (p) => `On ${p.day} the ${p.job} made ${p.food}.` },
];

function extractFamily(key: keyof Parts, split: FamilySplit = 'train') {
  const fitting = sentences.filter((sentence) => sentence.keys.includes(key));
  return defineFamily({
    name: `extract-${key}`,
    kind: 'extract',
    split,
    templates: [
      `Which ${key} is in this sentence? {text}`,
      `Extract the ${key}: {text}`,
      `Find the ${key}: {text}`,
      `{text} What is the ${key}?`,
    ],
    draw: (random) => {
      const parts = makeParts(random);
      return { slots: { text: random.pick(fitting).say(parts) }, answer: parts[key] };
    },
  });
}

export const extractName = extractFamily('name');
export const extractColour = extractFamily('colour');
export const extractNumber = extractFamily('number');
export const extractCity = extractFamily('city');
export const extractAnimal = extractFamily('animal');
export const extractDay = extractFamily('day');
export const extractJob = extractFamily('job');
export const extractFood = extractFamily('food', 'heldout');
export const extractVehicle = extractFamily('vehicle', 'heldout');

const fieldKeys = ['name', 'colour', 'number', 'city', 'animal', 'job', 'day', 'food'] as const;

export const fieldValue = defineFamily({
  name: 'field-value',
  kind: 'extract',
  templates: [
    'What is the {key}? {text}',
    'Give the {key}: {text}',
    '{text} Which {key}?',
    'Read the field {key}. {text}',
  ],
  draw: (random) => {
    const parts = makeParts(random);
    const keys = sample(random, fieldKeys, between(random, 2, 4));
    const key = random.pick(keys);
    const shape = random.pick([capitalise, (k: string) => k]);
    return { slots: { key, text: keys.map((k) => `${shape(k)}: ${parts[k]}`).join('; ') + '.' }, answer: parts[key] };
  },
});
