import type { TextSimilarityMetric } from '@attune/contracts';
import { distance } from 'fastest-levenshtein';
import { bleu, gleu } from './bleu.js';
import { meteor } from './meteor.js';
import { rougeL, rougeN } from './rouge.js';
import { nGrams, wordsOf } from './words.js';

/** Edit distance is quadratic; beyond this many characters texts are compared by their beginnings. */
const LONGEST_COMPARED = 10_000;

type Words = readonly string[];
const onWords: Readonly<Record<Exclude<TextSimilarityMetric, 'fuzzy_match'>, (a: Words, b: Words) => number>> = {
  cosine,
  bleu,
  gleu,
  meteor,
  rouge_1: (a, b) => rougeN(a, b, 1),
  rouge_2: (a, b) => rougeN(a, b, 2),
  rouge_3: (a, b) => rougeN(a, b, 3),
  rouge_4: (a, b) => rougeN(a, b, 4),
  rouge_5: (a, b) => rougeN(a, b, 5),
  rouge_l: rougeL,
};

/** How alike two texts are, 0 to 1. */
export function textSimilarity(metric: TextSimilarityMetric, candidate: string, reference: string): number {
  if (metric === 'fuzzy_match') return fuzzyMatch(candidate, reference);
  return onWords[metric](wordsOf(candidate), wordsOf(reference));
}

/** 1 less the edit distance in shares of the longer text. */
function fuzzyMatch(candidate: string, reference: string): number {
  const [a, b] = [candidate.slice(0, LONGEST_COMPARED), reference.slice(0, LONGEST_COMPARED)];
  const longer = Math.max(a.length, b.length);
  return longer === 0 ? 1 : 1 - distance(a, b) / longer;
}

/** Cosine of the two vectors of word counts. */
function cosine(candidate: Words, reference: Words): number {
  const [a, b] = [nGrams(candidate, 1), nGrams(reference, 1)];
  let product = 0;
  for (const [word, count] of a) product += count * (b.get(word) ?? 0);
  const norm = (counts: ReadonlyMap<string, number>) => Math.hypot(...counts.values());
  return product === 0 ? 0 : product / (norm(a) * norm(b));
}
