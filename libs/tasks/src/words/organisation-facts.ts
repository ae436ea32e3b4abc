import { between } from '../template.js';
import { inventedName, weekdays } from './names.js';
import { count, measured, of, person, year, type FactKind } from './passage-values.js';

/** What passages say about teams and about the services of a house. */
export const organisationFacts: readonly FactKind[] = [
  {
    key: 'leader',
    about: 'team',
    label: 'Leader',
    value: person,
    says: ['{s} is led by {v}.', '{v} leads {s}.', 'The leader of {s} is {v}.'],
    asks: ['Who leads {s}?', 'Who is the leader of {s}?', 'Who is the head of {s}?'],
  },
  {
    key: 'members',
    about: 'team',
    label: 'Members',
    value: count,
    says: ['{s} has {v} members.', 'There are {v} people in {s}.', '{v} people work in {s}.'],
    asks: ['How many people are in {s}?', 'How many members does {s} have?', 'What is the size of {s}?'],
  },
  {
    key: 'meets',
    about: 'team',
    label: 'Meets on',
    value: of(weekdays),
    says: ['{s} meets on {v}.', '{s} comes together every {v}.', 'Meetings of {s} are on {v}.'],
    asks: ['When does {s} meet?', 'On which day does {s} meet?', 'Which day does {s} come together?'],
  },
  {
    key: 'leave',
    about: 'team',
    label: 'Leave',
    value: measured('days'),
    says: ['{s} gives {v} of leave.', 'Staff of {s} get {v} of leave.', 'In {s} everyone has {v} of leave.'],
    asks: [
      'How much leave does {s} give?',
      'How many days of leave does {s} give?',
      'What leave do people in {s} get?',
    ],
  },
  {
    key: 'started',
    about: 'team',
    label: 'Started',
    value: year,
    says: ['{s} was founded in {v}.', '{s} started in {v}.', '{s} began its work in {v}.'],
    asks: ['When did {s} start?', 'When was {s} founded?', 'In which year did {s} start?'],
  },
  {
    key: 'password',
    about: 'service',
    label: 'Password',
    value: (r) => inventedName(r).toLowerCase(),
    says: ['The password for {s} is {v}.', '{s} has the password {v}.', 'Use the password {v} for {s}.'],
    asks: ['What is the password for {s}?', 'Which password does {s} have?', 'Tell me the password for {s}.'],
  },
  {
    key: 'takes',
    about: 'service',
    label: 'Takes',
    value: (r) => `${between(r, 2, 30)} ${r.pick(['days', 'hours', 'weeks', 'minutes'])}`,
    says: ['{s} takes {v}.', '{s} is done within {v}.', 'Allow {v} for {s}.'],
    asks: ['How long does {s} take?', 'When is {s} done?', 'How much time does {s} need?'],
  },
  {
    key: 'floor',
    about: 'service',
    label: 'Floor',
    value: (r) => String(between(r, 1, 30)),
    says: ['{s} is on floor {v}.', '{s} can be found on floor {v}.', 'Go to floor {v} for {s}.'],
    asks: ['On which floor is {s}?', 'Where do I find {s}?', 'Which floor is {s} on?'],
  },
  {
    key: 'phone',
    about: 'service',
    label: 'Phone',
    value: (r) => String(between(r, 100, 999)),
    says: ['Call {v} for {s}.', 'The phone number of {s} is {v}.', '{s} has the number {v}.'],
    asks: ['Which number do I call for {s}?', 'What is the phone number of {s}?', 'How do I call {s}?'],
  },
  {
    key: 'contact',
    about: 'service',
    label: 'Contact',
    value: person,
    says: ['{s} is looked after by {v}.', 'Ask {v} about {s}.', 'The contact for {s} is {v}.'],
    asks: ['Whom do I ask about {s}?', 'Who takes care of {s}?', 'Who is the contact for {s}?'],
  },
];
