import { between } from '../template.js';
import { colours } from './nouns.js';
import { city, measured, of, person, type FactKind } from './passage-values.js';

/** What passages say about products. */
export const productFacts: readonly FactKind[] = [
  {
    key: 'colour',
    about: 'product',
    label: 'Colour',
    value: of(colours),
    says: ['{s} is {v}.', '{s} comes in {v}.', '{s} was painted {v}.'],
    asks: ['What colour is {s}?', 'Which colour does {s} have?', 'What is the colour of {s}?'],
  },
  {
    key: 'maker',
    about: 'product',
    label: 'Maker',
    value: person,
    says: ['{s} was invented by {v}.', '{v} built {s}.', '{s} was designed by {v}.'],
    asks: ['Who made {s}?', 'Who invented {s}?', 'Who is the maker of {s}?'],
  },
  {
    key: 'battery',
    about: 'product',
    label: 'Battery',
    value: measured('hours'),
    says: ['{s} runs for {v}.', 'The battery of {s} lasts {v}.', '{s} works for {v} on one charge.'],
    asks: ['How long does {s} run?', 'How long does the battery of {s} last?', 'What is the battery life of {s}?'],
  },
  {
    key: 'warranty',
    about: 'product',
    label: 'Warranty',
    value: (r) => `${between(r, 2, 9)} years`,
    says: ['{s} has a warranty of {v}.', 'The warranty of {s} is {v}.', '{s} is covered for {v}.'],
    asks: ['How long is the warranty of {s}?', 'What warranty does {s} have?', 'For how long is {s} covered?'],
  },
  {
    key: 'made-in',
    about: 'product',
    label: 'Made in',
    value: city,
    says: ['{s} is made in {v}.', '{s} comes from {v}.', 'A factory in {v} makes {s}.'],
    asks: ['Where is {s} made?', 'Where does {s} come from?', 'In which city is {s} made?'],
  },
  {
    key: 'speed',
    about: 'product',
    label: 'Speed',
    value: measured('km per hour'),
    says: ['{s} moves at {v}.', 'The top speed of {s} is {v}.', '{s} reaches {v}.'],
    asks: ['How fast is {s}?', 'What is the top speed of {s}?', 'Which speed does {s} reach?'],
  },
];
