import { createRandom, deriveSeed, type Random } from '@attune/platform';
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

function pickFamily(random: Random, families: readonly TaskFamily[]): TaskFamily {
  let left = random.next() * families.reduce((sum, family) => sum + family.weight, 0);
  for (const family of families) {
    left -= family.weight;
    if (left < 0) return family;
  }
  return families[families.length - 1];
}
