import type { Random } from '@attune/platform';
import { defineFamily } from '../task.js';
import { between, sample } from '../template.js';
import { cities, people } from '../words/names.js';
import { animals, colours, commonNouns, foods, jobs } from '../words/nouns.js';

const drawList = (random: Random) => sample(random, commonNouns, between(random, 2, 4));

export const bulletList = defineFamily({
  name: 'bullet-list',
  kind: 'format',
  templates: [
    'Make a bullet list: {list}',
    'Write as bullet points: {list}',
    'List these with dashes: {list}',
    'Turn {list} into a bullet list.',
  ],
  draw: (random) => {
    const words = drawList(random);
    return { slots: { list: words.join(', ') }, answer: words.map((word) => `- ${word}`).join('\n') };
  },
});

export const numberedList = defineFamily({
  name: 'numbered-list',
  kind: 'format',
  templates: [
    'Make a numbered list: {list}',
    'Number these: {list}',
    'Write as 1, 2, 3: {list}',
    'Turn {list} into a numbered list.',
  ],
  draw: (random) => {
    const words = drawList(random);
    return { slots: { list: words.join(', ') }, answer: words.map((word, i) => `${i + 1}. ${word}`).join('\n') };
  },
});

export const csvLine = defineFamily({
  name: 'csv-line',
  kind: 'format',
  templates: [
    'Write as a CSV line: {list}',
    'CSV: {list}',
    'Make one CSV row of {list}.',
    'Put these in a CSV line: {list}',
  ],
  draw: (random) => {
    const words = drawList(random);
    return { slots: { list: words.join(' and ') }, answer: words.join(',') };
  },
});

export const jsonArray = defineFamily({
  name: 'json-array',
  kind: 'format',
  scoring: 'json',
  templates: [
    'Write as a JSON array: {list}',
    'JSON array of {list}',
    'Turn {list} into a JSON array.',
    'Give these as a JSON list: {list}',
  ],
  draw: (random) => {
    const words = drawList(random);
    return { slots: { list: words.join(', ') }, answer: prettyJson(words) };
  },
});

type Fields = Record<string, string | number>;
const objectTemplates = [
  'Write as a JSON object: {text}',
  'Make JSON: {text}',
  'Turn this into JSON: {text}',
  'JSON object with {text}',
];

const drawObject = (fields: (random: Random) => Fields, low: number, high: number) => (random: Random) => {
  const all = Object.entries(fields(random));
  const chosen = sample(random, all, between(random, low, high));
  const text = chosen.map(([key, value]) => `${key} ${value}`).join(', ');
  return { slots: { text }, answer: prettyJson(Object.fromEntries(chosen)) };
};

export const jsonObject = defineFamily({
  name: 'json-object',
  kind: 'format',
  scoring: 'json',
  weight: 1.3,
  templates: objectTemplates,
  draw: drawObject(
    (r) => ({ name: r.pick(people), age: between(r, 1, 90), city: r.pick(cities), colour: r.pick(colours) }),
    1,
    3,
  ),
});

export const jsonNewKeys = defineFamily({
  name: 'json-new-keys',
  kind: 'format',
  split: 'heldout',
  scoring: 'json',
  templates: objectTemplates,
  draw: drawObject((r) => ({ animal: r.pick(animals), food: r.pick(foods), job: r.pick(jobs) }), 1, 3),
});

export const jsonFromSentence = defineFamily({
  name: 'json-from-sentence',
  kind: 'format',
  scoring: 'json',
  weight: 1.3,
  templates: [
    '{text} Give name, age and city as JSON.',
    'Extract name, age, city as JSON: {text}',
    'Name, age and city in JSON: {text}',
    '{text} Write this as JSON with name, age, city.',
  ],
  draw: (random) => {
    const [name, age, city] = [random.pick(people), between(random, 1, 90), random.pick(cities)];
    const shapes = [
      `${name} is ${age} and lives in ${city}.`,
      `${name} from ${city} is ${age} years old.`,
      `In ${city} lives ${name}, aged ${age}.`,
    ];
    return { slots: { text: random.pick(shapes) }, answer: prettyJson({ name, age, city }) };
  },
});

/** One line with a space after each comma and colon, as people write it. */
function prettyJson(value: readonly string[] | Fields): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `"${key}": ${JSON.stringify(item)}`)
    .join(', ')}}`;
}
