import { nGrams, overlap, total } from './words.js';

const LONGEST = 4;

/**
 * BLEU of one sentence (Papineni et al. 2002) with add-one smoothing above unigrams (Lin & Och 2004, smoothing 2):
 * brevity penalty times the geometric mean of the n-gram precisions, n = 1…4.
 */
export function bleu(candidate: readonly string[], reference: readonly string[]): number {
  if (candidate.length === 0) return 0;
  let logs = 0;
  for (let size = 1; size <= LONGEST; size++) {
    const grams = nGrams(candidate, size);
    const smooth = size > 1 ? 1 : 0;
    const matches = overlap(grams, nGrams(reference, size)) + smooth;
    if (matches === 0) return 0;
    logs += Math.log(matches / (total(grams) + smooth)) / LONGEST;
  }
  const brevity = Math.min(1, Math.exp(1 - reference.length / candidate.length));
  return brevity * Math.exp(logs);
}

/** GLEU of one sentence (Wu et al. 2016, section 4.3): the lesser of n-gram precision and recall, n = 1…4 together. */
export function gleu(candidate: readonly string[], reference: readonly string[]): number {
  let [matches, ofCandidate, ofReference] = [0, 0, 0];
  for (let size = 1; size <= LONGEST; size++) {
    const [a, b] = [nGrams(candidate, size), nGrams(reference, size)];
    matches += overlap(a, b);
    ofCandidate += total(a);
    ofReference += total(b);
  }
  const larger = Math.max(ofCandidate, ofReference);
  return larger === 0 ? 0 : matches / larger;
}
