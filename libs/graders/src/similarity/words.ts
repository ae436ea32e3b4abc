/** Some of the measures are quadratic; longer texts are compared by their beginnings. */
const MOST_WORDS = 4_000;
const MOST_CHARACTERS = 10 * MOST_WORDS;

/** Words in lower case, punctuation left out; at most 4,000. */
export const wordsOf = (text: string): string[] =>
  (
    text
      .slice(0, MOST_CHARACTERS)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).slice(0, MOST_WORDS);

export type Counts = ReadonlyMap<string, number>;

/** How often each run of `size` words stands in a text. */
export function nGrams(words: readonly string[], size: number): Counts {
  const counts = new Map<string, number>();
  for (let start = 0; start + size <= words.length; start++) {
    const gram = words.slice(start, start + size).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Grams that two texts share, each as often as in the text that has it less. */
export function overlap(a: Counts, b: Counts): number {
  let shared = 0;
  for (const [gram, count] of a) shared += Math.min(count, b.get(gram) ?? 0);
  return shared;
}

export const total = (counts: Counts): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** Harmonic mean; 0 when either is. */
export const f1 = (precision: number, recall: number): number =>
  precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
