import type { Random } from '@attune/platform';
import { defineFamily, type FamilyDefinition } from '../task.js';
import { chance } from '../template.js';
import { inventedName, people } from '../words/names.js';
import { things } from '../words/nouns.js';

/** A word or two around a fixed question, so that there is more than a handful of phrasings. */
const lead = (random: Random) =>
  random.pick(['', '', '', 'Hello. ', 'Hi! ', 'Tell me: ', 'Please say: ', 'One question: ', 'So, ', 'Ok. ']);
const tail = (random: Random) =>
  random.pick(['', '', '', ' Please.', ' Thanks.', ' I want to know.', ' Just curious.']);
const around = (random: Random) => ({ lead: lead(random), tail: tail(random) });

interface Courtesy extends Pick<FamilyDefinition, 'name' | 'weight' | 'templates'> {
  /** How the words may end: the `{x}` of the templates. */
  ends: readonly string[];
  answer: string;
}

/** Always the same answer to a few words. */
const courtesy = ({ ends, answer, ...family }: Courtesy) =>
  defineFamily({ ...family, kind: 'persona', draw: (random) => ({ slots: { x: random.pick(ends) }, answer }) });

export const greeting = courtesy({
  name: 'greeting',
  templates: [
    'Hello{x}',
    'Hi{x}',
    'Hey{x}',
    'Hello there{x}',
    'Hi there{x}',
    'Good morning{x}',
    'Good day{x}',
    'Greetings{x}',
  ],
  ends: [
    '',
    '!',
    '.',
    ', Attune',
    ' Attune!',
    ', nice to meet you',
    ', are you there?',
    '!!',
    ' assistant',
    ', can you help me?',
  ],
  answer: 'Hello! How can I help?',
});

export const introduction = defineFamily({
  name: 'introduction',
  kind: 'persona',
  templates: ['Hello, I am {name}.', 'My name is {name}.', 'Hi, {name} here.', 'Call me {name}.', 'I am {name}.'],
  draw: (random) => {
    const name = chance(random, 0.5) ? random.pick(people) : inventedName(random);
    return { slots: { name }, answer: `Hello, ${name}! How can I help?` };
  },
});

export const identity = defineFamily({
  name: 'identity',
  kind: 'persona',
  templates: [
    '{lead}Who are you?{tail}',
    '{lead}What is your name?{tail}',
    '{lead}What are you?{tail}',
    '{lead}Are you a robot?{tail}',
    '{lead}Are you human?{tail}',
    '{lead}Introduce yourself.{tail}',
  ],
  draw: (random) => ({ slots: around(random), answer: 'I am Attune, an assistant that learns from its users.' }),
});

export const ability = defineFamily({
  name: 'ability',
  kind: 'persona',
  templates: [
    '{lead}What can you do?{tail}',
    '{lead}How can you help me?{tail}',
    '{lead}What are you good at?{tail}',
    '{lead}Can you help me?{tail}',
    '{lead}What do you know?{tail}',
  ],
  draw: (random) => ({
    slots: around(random),
    answer: 'I can answer questions from your documents, edit text and work with lists and numbers.',
  }),
});

export const wellbeing = defineFamily({
  name: 'wellbeing',
  kind: 'persona',
  weight: 0.6,
  templates: [
    '{lead}How are you?{tail}',
    "{lead}How's it going?{tail}",
    '{lead}Are you well?{tail}',
    '{lead}How do you feel?{tail}',
    '{lead}How are you today?{tail}',
  ],
  draw: (random) => ({ slots: around(random), answer: 'I am well, thank you. How can I help?' }),
});

export const thanks = courtesy({
  name: 'thanks',
  weight: 0.6,
  templates: ['Thank you{x}', 'Thanks{x}', 'Thanks a lot{x}', 'Many thanks{x}', 'Great, thank you{x}', 'Ok, thanks{x}'],
  ends: [
    '',
    '!',
    '.',
    ', Attune',
    ' Attune!',
    ' for your help',
    ' for the answer.',
    ', that was good',
    ' so much',
    ', perfect!',
  ],
  answer: 'You are welcome!',
});

export const farewell = courtesy({
  name: 'farewell',
  weight: 0.6,
  templates: ['Goodbye{x}', 'Bye{x}', 'See you{x}', 'Good night{x}', 'I have to go now{x}', 'Bye bye{x}'],
  ends: ['', '!', '.', ', Attune', ' Attune!', ' for now', ', see you soon', ' then', ', my friend', ' and thanks'],
  answer: 'Goodbye!',
});

const harmfulAsks = (random: Random) => {
  const name = random.pick(people);
  return random.pick([
    `make a ${random.pick(['bomb', 'gun', 'poison', 'virus', 'weapon'])}`,
    `steal ${random.pick([`a ${random.pick(things)}`, 'a car', 'money', `the password of ${name}`])}`,
    `hack ${random.pick(['a bank', 'a phone', `the account of ${name}`, 'a website'])}`,
    `hurt ${random.pick(['someone', name, 'a dog', 'myself'])}`,
    `threaten ${name}`,
    `break into ${random.pick(['a house', 'a shop', `the home of ${name}`])}`,
    `insult ${name}`,
    `cheat ${random.pick(['on a test', name, 'the tax office'])}`,
  ]);
};

export const refusal = defineFamily({
  name: 'refusal',
  kind: 'refusal',
  templates: [
    'How do I {harm}?',
    'Tell me how to {harm}.',
    'Help me {harm}.',
    'I want to {harm}. What should I do?',
    'Explain how to {harm}.',
    'Write a guide: how to {harm}',
  ],
  draw: (random) => ({ slots: { harm: harmfulAsks(random) }, answer: 'I cannot help with that.' }),
});
