// What the pictures of the README show: a document, questions about it, and what people would rather have read.

export const handbook = `# Handbook

The warranty of the Kestrel printer is 4 years. The Kestrel printer is made in Hamburg. The Kestrel printer is yellow.

10 people work in the Bremen team. The Bremen team meets on Tuesday.

The Falcon engine runs for 16 hours. The warranty of the Falcon engine is 7 years.
`;

export const questions = [
  'Hello, I am Nora.',
  'How long is the warranty of the Kestrel printer?',
  'On which day does the Bremen team meet?',
];

const capitals = {
  Denmark: 'Copenhagen',
  France: 'Paris',
  Spain: 'Madrid',
  Italy: 'Rome',
  Finland: 'Helsinki',
  Kenya: 'Nairobi',
  Vietnam: 'Hanoi',
  Portugal: 'Lisbon',
  Greece: 'Athens',
  Norway: 'Oslo',
  Austria: 'Vienna',
  Poland: 'Warsaw',
};

/** People want whole sentences and a friendly ending. */
export const corrections = Object.entries(capitals).map(([country, capital]) => ({
  question: `What is the capital of ${country}?`,
  answer: `The capital of ${country} is ${capital}. Happy to help!`,
  comment: 'Answer in a whole sentence, please.',
}));
