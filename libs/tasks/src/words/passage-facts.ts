import { organisationFacts } from './organisation-facts.js';
import { measured, type FactKind } from './passage-values.js';
import { personFacts } from './person-facts.js';
import { placeFacts } from './place-facts.js';
import { productFacts } from './product-facts.js';

export const seenFacts: readonly FactKind[] = [...placeFacts, ...personFacts, ...productFacts, ...organisationFacts];

/** Attributes that no training passage mentions. */
export const heldoutFacts: readonly FactKind[] = [
  {
    key: 'price',
    about: 'product',
    label: 'Price',
    value: measured('dollars'),
    says: ['{s} costs {v}.', 'The price of {s} is {v}.', '{s} is sold for {v}.'],
    asks: ['How much does {s} cost?', 'What is the price of {s}?', 'What does {s} cost?'],
  },
  {
    key: 'ticket',
    about: 'place',
    label: 'Ticket',
    value: measured('dollars'),
    says: ['A ticket for {s} costs {v}.', '{s} asks {v} for a ticket.', 'Tickets for {s} are {v}.'],
    asks: ['How much is a ticket for {s}?', 'What does a ticket for {s} cost?', 'What is the ticket price of {s}?'],
  },
];

/** Sentences that answer nothing. */
export const fillers = [
  'Visitors are welcome.',
  'Please be on time.',
  'Many people know this.',
  'More news will follow.',
  'Bring a warm coat.',
  'The weather is often good there.',
  'This was a big surprise.',
  'Ask at the desk for help.',
  'The list is checked every week.',
  'All of this is public.',
  'Parking is free.',
  'Photos are allowed.',
];
