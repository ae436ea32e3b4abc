import { createRandom, deriveSeed, InvalidRequestError, type Random } from '@attune/platform';
import { isTrainable } from './instances.js';
import { withPreamble } from './preamble.js';
import { trainFamilies } from './registry.js';
import type { TaskExample, TaskFamily } from './task.js';
import { chance } from './template.js';

/** How often an example without a system message gets a neutral one. */
const preambleShare = 0.06;

/** A training example: a family by weight, then an instance that is not held out. */
export function generateExample(random: Random, families: readonly TaskFamily[] = trainFamilies): TaskExample {
  for (;;) {
    const example = pickFamily(random, families).generate(random);
    if (!isTrainable(example)) continue;
    return chance(random, preambleShare) ? withPreamble(example, random) : example;
  }
}

/** The example at `index` of the endless sequence that `seed` names; no earlier one is needed. */
export function exampleAt(seed: number, index: number, families: readonly TaskFamily[] = trainFamilies): TaskExample {
  return generateExample(createRandom(deriveSeed('example', seed, index)), families);
}

export interface ExampleStream extends IterableIterator<TaskExample> {
  next(): { value: TaskExample; done: false };
  /** Index of the next example: the whole state, to be saved and given back as `cursor`. */
  readonly cursor: number;
}

/**
 * The endless sequence of training examples of a seed, from `cursor` on.
 * @throws InvalidRequestError when `families` is empty or holds a held-out family.
 */
export function exampleStream(
  seed: number,
  options: { families?: readonly TaskFamily[]; cursor?: number } = {},
): ExampleStream {
  const families = options.families ?? trainFamilies;
  refuseHeldout(families);
  let cursor = options.cursor ?? 0;
  return {
    next: () => ({ value: exampleAt(seed, cursor++, families), done: false }),
    get cursor() {
      return cursor;
    },
    [Symbol.iterator]() {
      return this;
    },
  };
}

function refuseHeldout(families: readonly TaskFamily[]): void {
  if (families.length === 0) throw new InvalidRequestError('A training stream needs at least one task family.');
  const heldout = families.find((family) => family.split === 'heldout');
  if (heldout)
    throw new InvalidRequestError(`The task family "${heldout.name}" is held out; leave it out of training.`);
}

function pickFamily(random: Random, families: readonly TaskFamily[]): TaskFamily {
  let left = random.next() * families.reduce((sum, family) => sum + family.weight, 0);
  for (const family of families) {
    left -= family.weight;
    if (left < 0) return family;
  }
  return families[families.length - 1];
}
