import type { Random } from '@attune/platform';
import { chance } from '../template.js';
import { inventedName, people } from './names.js';

/** What passages speak about. */
export type SubjectKind = 'place' | 'person' | 'product' | 'team' | 'service';

export interface Subject {
  kind: SubjectKind;
  /** As it stands inside a sentence: "the Kelvin lab". */
  name: string;
  /** The pronoun for later sentences. */
  it: string;
}

const list = (text: string): readonly string[] => text.trim().split(/\s+/);
const placeTypes =
  list(`lab library museum cafe school shop pool station hotel theatre bakery clinic garden tower office
  gym bridge park`);
const productTypes = list('printer robot phone camera lamp engine boat drone oven car clock pump');
const teamTypes = list('team club project company group');
const services = list(`wifi archive canteen reception workshop storeroom refund delivery repair order newsletter
  helpdesk training laundry parking backup`);

export function makeSubject(random: Random, kind: SubjectKind): Subject {
  if (kind === 'person') {
    const name = chance(random, 0.5) ? random.pick(people) : inventedName(random);
    return { kind, name, it: random.pick(['He', 'She']) };
  }
  return { kind, name: `the ${nouns[kind](random)}`, it: 'It' };
}

const nouns: Record<Exclude<SubjectKind, 'person'>, (random: Random) => string> = {
  place: (random) => `${inventedName(random)} ${random.pick(placeTypes)}`,
  product: (random) => `${inventedName(random)} ${random.pick(productTypes)}`,
  team: (random) => `${inventedName(random)} ${random.pick(teamTypes)}`,
  service: (random) =>
    chance(random, 0.5) ? random.pick(services) : `${inventedName(random)} ${random.pick(services)}`,
};
