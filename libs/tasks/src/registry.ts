import { NotFoundError } from '@attune/platform';
import * as definitions from './families/index.js';
import type { TaskFamily } from './task.js';

/** Every family, in the order of its name, so that adding one moves no other in a report. */
export const families: readonly TaskFamily[] = Object.values(definitions).sort((a, b) => (a.name < b.name ? -1 : 1));

export const trainFamilies: readonly TaskFamily[] = families.filter((family) => family.split === 'train');
export const heldoutFamilies: readonly TaskFamily[] = families.filter((family) => family.split === 'heldout');

/** @throws NotFoundError when no family has this name. */
export function familyNamed(name: string): TaskFamily {
  const family = families.find((candidate) => candidate.name === name);
  if (!family)
    throw new NotFoundError(`There is no task family "${name}"; known are ${families.map((f) => f.name).join(', ')}.`);
  return family;
}
