import type { Random } from '@attune/platform';
import { between, sample } from '../template.js';
import { inventedName, people } from './names.js';
import { animals, colours, commonNouns, things } from './nouns.js';

const states = ['is old', 'is here', 'fell down', 'looks nice', 'was sold', 'is mine', 'is lost', 'came back'];

/** A short text to copy or to work on: a clause, a few words, or words with a name nobody has seen. */
export function phrase(random: Random): string {
  const shapes = [
    () => `the ${random.pick(colours)} ${random.pick([...animals, ...things])} ${random.pick(states)}`,
    () => sample(random, commonNouns, between(random, 1, 4)).join(' '),
    () => `${random.pick(people)} and ${inventedName(random)}`,
    () => `${inventedName(random)} ${between(random, 1, 99)}`,
    () => `${inventedName(random)} has a ${random.pick(colours)} ${random.pick(things)}`,
  ];
  return random.pick(shapes)();
}
