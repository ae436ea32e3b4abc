import { InternalError, type Random } from '@attune/platform';

export type Slots = Readonly<Record<string, string | number>>;

/** Replaces each `{name}` by its slot. */
export function fillTemplate(template: string, slots: Slots): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (!(name in slots))
      throw new InternalError(`The template "${template}" wants {${name}}, which its family does not draw.`);
    return String(slots[name]);
  });
}

/** `n` different items in random order. */
export function sample<T>(random: Random, items: readonly T[], n: number): T[] {
  return random.shuffle(items).slice(0, n);
}

/** Uniform integer, both ends included. */
export function between(random: Random, low: number, high: number): number {
  return low + random.int(high - low + 1);
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability;
}

export function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** "a dog", "an apple". */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}
