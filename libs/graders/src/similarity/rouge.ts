import { f1, nGrams, overlap, total } from './words.js';

/** ROUGE-N (Lin 2004) as F1 of n-grams. */
export function rougeN(candidate: readonly string[], reference: readonly string[], size: number): number {
  const [a, b] = [nGrams(candidate, size), nGrams(reference, size)];
  const [ofCandidate, ofReference] = [total(a), total(b)];
  if (ofCandidate === 0 || ofReference === 0) return 0;
  const shared = overlap(a, b);
  return f1(shared / ofCandidate, shared / ofReference);
}

/** ROUGE-L (Lin 2004) as F1 of the longest common subsequence. */
export function rougeL(candidate: readonly string[], reference: readonly string[]): number {
  if (candidate.length === 0 || reference.length === 0) return 0;
  const common = longestCommonSubsequence(candidate, reference);
  return f1(common / candidate.length, common / reference.length);
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let previous = new Uint32Array(b.length + 1);
  for (const word of a) {
    const row = new Uint32Array(b.length + 1);
    for (let j = 0; j < b.length; j++)
      row[j + 1] = b[j] === word ? previous[j]! + 1 : Math.max(row[j]!, previous[j + 1]!);
    previous = row;
  }
  return previous[b.length]!;
}
