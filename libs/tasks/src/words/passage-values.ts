import type { Random } from '@attune/platform';
import { between, chance } from '../template.js';
import { cities, inventedName, people } from './names.js';
import type { SubjectKind } from './passage-subjects.js';

/** One attribute of a subject: in its sentences `{s}` is the subject, `{v}` the value. */
export interface FactKind {
  key: string;
  about: SubjectKind;
  value: Value;
  /** The first wording is also the answer in a full sentence. */
  says: readonly string[];
  asks: readonly string[];
  /** Label in a list of fields. */
  label: string;
}

export type Value = (random: Random) => string;

export const hour: Value = (r) =>
  r.pick([
    `${between(r, 1, 12)}`,
    `${between(r, 1, 12)} am`,
    `${between(r, 1, 12)} pm`,
    `${between(r, 6, 22)}:${r.pick(['00', '15', '30', '45'])}`,
    'noon',
  ]);
export const year: Value = (r) => String(between(r, 1850, 2025));
export const count: Value = (r) => String(between(r, 2, 99));
export const person: Value = (r) => (chance(r, 0.6) ? r.pick(people) : inventedName(r));
export const city: Value = (r) => (chance(r, 0.7) ? r.pick(cities) : inventedName(r));
export const of =
  (items: readonly string[]): Value =>
  (r) =>
    r.pick(items);
export const measured =
  (unit: string): Value =>
  (r) =>
    `${between(r, 2, 60)} ${unit}`;
