import { between } from '../template.js';
import { weekdays } from './names.js';
import { colours } from './nouns.js';
import { city, count, hour, of, person, year, type FactKind } from './passage-values.js';

/** What passages say about places. */
export const placeFacts: readonly FactKind[] = [
  {
    key: 'opens',
    about: 'place',
    label: 'Opens',
    value: hour,
    says: ['{s} opens at {v}.', '{s} is open from {v}.', 'The doors of {s} open at {v}.'],
    asks: ['When does {s} open?', 'What time does {s} open?', 'At what hour does {s} open?'],
  },
  {
    key: 'closes',
    about: 'place',
    label: 'Closes',
    value: hour,
    says: ['{s} closes at {v}.', '{s} shuts at {v}.', '{s} is open until {v}.'],
    asks: ['When does {s} close?', 'What time does {s} close?', 'Until when is {s} open?'],
  },
  {
    key: 'city',
    about: 'place',
    label: 'City',
    value: city,
    says: ['{s} is in {v}.', '{s} stands in {v}.', '{s} can be found in {v}.'],
    asks: ['Where is {s}?', 'In which city is {s}?', 'Which city is {s} in?'],
  },
  {
    key: 'built',
    about: 'place',
    label: 'Built',
    value: year,
    says: ['{s} was built in {v}.', '{s} dates from {v}.', 'People built {s} in {v}.'],
    asks: ['When was {s} built?', 'In which year was {s} built?', 'What year was {s} built?'],
  },
  {
    key: 'door',
    about: 'place',
    label: 'Door',
    value: of(colours),
    says: ['{s} has a {v} door.', 'The door of {s} is {v}.', '{s} is known for its {v} door.'],
    asks: [
      'What colour is the door of {s}?',
      'Which colour does the door of {s} have?',
      'What is the door colour of {s}?',
    ],
  },
  {
    key: 'manager',
    about: 'place',
    label: 'Manager',
    value: person,
    says: ['{s} is run by {v}.', '{v} runs {s}.', 'The manager of {s} is {v}.'],
    asks: ['Who runs {s}?', 'Who is the manager of {s}?', 'Who is in charge of {s}?'],
  },
  {
    key: 'closed-day',
    about: 'place',
    label: 'Closed on',
    value: of(weekdays),
    says: ['{s} is closed on {v}.', 'On {v} {s} stays closed.', '{s} does not open on {v}.'],
    asks: ['On which day is {s} closed?', 'When is {s} closed?', 'Which day is {s} not open?'],
  },
  {
    key: 'code',
    about: 'place',
    label: 'Code',
    value: (r) => String(between(r, 1000, 9999)),
    says: ['The code for {s} is {v}.', '{s} has the door code {v}.', 'Use code {v} for {s}.'],
    asks: ['What is the code for {s}?', 'Which code opens {s}?', 'Which code does {s} have?'],
  },
  {
    key: 'rooms',
    about: 'place',
    label: 'Rooms',
    value: count,
    says: ['{s} has {v} rooms.', 'There are {v} rooms in {s}.', '{s} offers {v} rooms.'],
    asks: ['How many rooms does {s} have?', 'How many rooms are in {s}?', 'What is the number of rooms in {s}?'],
  },
];
