import { between } from '../template.js';
import { months } from './names.js';
import { animals, foods, jobs, things } from './nouns.js';
import { city, count, of, type FactKind } from './passage-values.js';

/** What passages say about people. */
export const personFacts: readonly FactKind[] = [
  {
    key: 'job',
    about: 'person',
    label: 'Job',
    value: of(jobs),
    says: ['{s} is a {v}.', '{s} works as a {v}.', '{s} became a {v}.'],
    asks: ['What is the job of {s}?', 'What does {s} work as?', 'Which job does {s} have?'],
  },
  {
    key: 'home',
    about: 'person',
    label: 'Home',
    value: city,
    says: ['{s} lives in {v}.', '{s} has a house in {v}.', '{s} moved to {v}.'],
    asks: ['Where does {s} live?', 'In which city does {s} live?', 'Which city does {s} live in?'],
  },
  {
    key: 'age',
    about: 'person',
    label: 'Age',
    value: count,
    says: ['{s} is {v} years old.', '{s} turned {v}.', '{s} is {v}.'],
    asks: ['How old is {s}?', 'What is the age of {s}?', 'Which age is {s}?'],
  },
  {
    key: 'likes',
    about: 'person',
    label: 'Likes',
    value: of(foods),
    says: ['{s} likes {v}.', '{s} loves to eat {v}.', '{s} eats {v} every day.'],
    asks: ['What does {s} like?', 'What does {s} like to eat?', 'Which food does {s} like?'],
  },
  {
    key: 'pet',
    about: 'person',
    label: 'Pet',
    value: of(animals),
    says: ['{s} has a pet {v}.', '{s} keeps one {v}.', 'The pet of {s} is one {v}.'],
    asks: ['Which pet does {s} have?', 'Which animal does {s} keep?', 'What pet does {s} own?'],
  },
  {
    key: 'birthday',
    about: 'person',
    label: 'Birthday',
    value: (r) => `${r.pick(months)} ${between(r, 1, 28)}`,
    says: ['{s} was born on {v}.', '{s} has a birthday on {v}.', 'The birthday of {s} is {v}.'],
    asks: ['When is the birthday of {s}?', 'When was {s} born?', 'On which date was {s} born?'],
  },
  {
    key: 'bought',
    about: 'person',
    label: 'Bought',
    value: of(things),
    says: ['{s} bought one {v}.', '{s} paid for one {v}.', '{s} came home with one {v}.'],
    asks: ['What did {s} buy?', 'What did {s} come home with?', 'Which thing did {s} buy?'],
  },
];
