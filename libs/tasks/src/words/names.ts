import type { Random } from '@attune/platform';
import { capitalise, chance } from '../template.js';

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const people = list(`Mia Tom Anna Ben Lily Sam Zoe Max Eva Leo Ida Paul Nina Omar Ruth Karl Sara Hugo Lena Ivan
  Maya Finn Rosa Noah Tara Eric Jane Adam Lucy Jack Emma Dan Olga Peter Kate Amir Clara Felix Helen Luis Vera Simon
  Greta Oscar Nora Victor Alice Bruno Dora Frank`);

export const cities = list(`Paris Berlin Rome Madrid Oslo Vienna Lisbon Dublin Cairo Lima Boston Denver Dallas Miami
  Seattle Chicago Toronto Sydney Milan Naples Porto Munich Hamburg Lyon Geneva Zurich Leeds York Bristol Osaka`);

export const weekdays = list('Monday Tuesday Wednesday Thursday Friday Saturday Sunday');
export const months = list('January February March April May June July August September October November December');

const onsets = list('b c d f g h j k l m n p r s t v w z br dr gr kr tr st pl fl sh');
const vowels = list('a e i o u a e i o');
const codas = ['', '', '', ...list('n r l s m x t k th rd lt')];

/** A name that no text knows, such as "Kelvar" or "Trosin": what is said of it can only come from the passage. */
export function inventedName(random: Random): string {
  const syllables = chance(random, 0.25) ? 3 : 2;
  let name = '';
  for (let i = 0; i < syllables; i++) name += random.pick(onsets) + random.pick(vowels);
  return capitalise(name + random.pick(codas));
}
