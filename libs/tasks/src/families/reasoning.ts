import type { Random } from '@attune/platform';
import { defineFamily } from '../task.js';
import { between, sample } from '../template.js';
import { plural } from '../words/facts.js';
import { people } from '../words/names.js';
import { commonNouns, countables } from '../words/nouns.js';

/** Rationale first, then "Answer: x" (Wei et al. 2022, arXiv:2201.11903). */
const stepPhrases = ['Think step by step.', 'Show your steps.', 'Explain your steps.', 'Reason step by step.'];
const withSteps = (question: string) => stepPhrases.map((phrase) => `${question} ${phrase}`);

export const stepsAdd = defineFamily({
  name: 'steps-add',
  kind: 'reasoning',
  scoring: 'final',
  weight: 1.3,
  templates: withSteps('Add {a}, {b} and {c}.'),
  draw: (random) => {
    const [a, b, c] = [random.int(10), random.int(10), random.int(10)];
    return {
      slots: { a, b, c },
      answer: `${a} plus ${b} is ${a + b}. ${a + b} plus ${c} is ${a + b + c}. Answer: ${a + b + c}`,
    };
  },
});

const drawStory = (random: Random, gains: boolean) => {
  const start = between(random, 5, 12);
  const change = between(random, 1, 5);
  const end = gains ? start + change : start - change;
  const slots = { name: random.pick(people), things: plural(random.pick(countables)), start, change };
  return { slots, answer: `${start} ${gains ? 'plus' : 'minus'} ${change} is ${end}. Answer: ${end}` };
};

export const stepsBuy = defineFamily({
  name: 'steps-buy',
  kind: 'reasoning',
  scoring: 'final',
  templates: withSteps('{name} has {start} {things} and gets {change} more. How many {things} does {name} have?'),
  draw: (random) => drawStory(random, true),
});

export const stepsLose = defineFamily({
  name: 'steps-lose',
  kind: 'reasoning',
  scoring: 'final',
  templates: withSteps('{name} has {start} {things} and gives away {change}. How many {things} does {name} have?'),
  draw: (random) => drawStory(random, false),
});

const drawExtreme = (random: Random, choose: (a: number, b: number) => number) => {
  const [a, b, c] = sample(
    random,
    Array.from({ length: 100 }, (_, i) => i),
    3,
  );
  const [first, last] = [choose(a, b), choose(choose(a, b), c)];
  return { slots: { a, b, c }, answer: `${a} or ${b}: ${first}. ${first} or ${c}: ${last}. Answer: ${last}` };
};

export const stepsLargest = defineFamily({
  name: 'steps-largest',
  kind: 'reasoning',
  scoring: 'final',
  templates: withSteps('Which is largest, {a}, {b} or {c}?'),
  draw: (random) => drawExtreme(random, Math.max),
});

export const stepsSmallest = defineFamily({
  name: 'steps-smallest',
  kind: 'reasoning',
  split: 'heldout',
  scoring: 'final',
  templates: withSteps('Which is smallest, {a}, {b} or {c}?'),
  draw: (random) => drawExtreme(random, Math.min),
});

export const stepsCount = defineFamily({
  name: 'steps-count',
  kind: 'reasoning',
  scoring: 'final',
  templates: withSteps('How many words: {list}?'),
  draw: (random) => {
    const words = sample(random, commonNouns, between(random, 2, 6));
    const steps = words.map((word, i) => `${i + 1} ${word}`).join(', ');
    return { slots: { list: words.join(', ') }, answer: `${steps}. Answer: ${words.length}` };
  },
});
