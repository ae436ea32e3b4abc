import { byteAlphabet, byteLevel, mergeKey, splitWords } from './byte-level.js';

export interface BpeSettings {
  /** Size of the whole vocabulary: special tokens, 256 bytes and merges. */
  vocabSize: number;
  /** Take the first ids, in this order. */
  specialTokens: readonly string[];
  /** Pairs seen fewer times than this are not merged (default 2). */
  minFrequency?: number;
}

export interface TrainedBpe {
  vocab: Record<string, number>;
  merges: [string, string][];
  specialTokens: readonly string[];
}

interface Word {
  symbols: string[];
  count: number;
}

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909, algorithm 1) over UTF-8 bytes: the most frequent adjacent
 * pair becomes a new symbol until the vocabulary is full. Ties go to the pair that sorts first, so the same texts give
 * the same vocabulary.
 */
export function trainBpe(texts: Iterable<string>, settings: BpeSettings): TrainedBpe {
  const words = countWords(texts);
  const pairs = new PairIndex(words);
  const merges: [string, string][] = [];
  const tokens = [...settings.specialTokens, ...byteAlphabet];
  const known = new Set(tokens);
  while (tokens.length < settings.vocabSize) {
    const best = pairs.mostFrequent(settings.minFrequency ?? 2);
    if (!best) break;
    pairs.merge(best);
    merges.push(best);
    const joined = best[0] + best[1];
    if (!known.has(joined)) tokens.push(joined);
    known.add(joined);
  }
  return {
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
    specialTokens: settings.specialTokens,
  };
}

function countWords(texts: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => ({ symbols: [...byteLevel(word)], count }));
}

/** How often each adjacent pair occurs, and in which words, kept up to date while pairs are merged. */
class PairIndex {
  private readonly counts = new Map<string, number>();
  private readonly places = new Map<string, Set<Word>>();

  constructor(words: readonly Word[]) {
    for (const word of words) this.add(word, 1);
  }

  mostFrequent(minimum: number): [string, string] | undefined {
    let best: string | undefined;
    let bestCount = minimum - 1;
    for (const [pair, count] of this.counts) {
      if (count > bestCount || (count === bestCount && best !== undefined && pair < best)) {
        best = pair;
        bestCount = count;
      }
    }
    return best === undefined ? undefined : (best.split(mergeKey) as [string, string]);
  }

  merge([left, right]: readonly [string, string]): void {
    // A copy, because re-counting a word takes it out of the set and may put it back.
    const affected = Array.from(this.places.get(left + mergeKey + right) ?? []);
    for (const word of affected) {
      this.add(word, -1);
      word.symbols = joinPair(word.symbols, left, right);
      this.add(word, 1);
    }
  }

  private add(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const pair = word.symbols[i] + mergeKey + word.symbols[i + 1];
      const count = (this.counts.get(pair) ?? 0) + sign * word.count;
      if (count === 0) this.counts.delete(pair);
      else this.counts.set(pair, count);
      const places = this.places.get(pair) ?? new Set<Word>();
      this.places.set(pair, places);
      if (sign === 1) places.add(word);
      else places.delete(word);
    }
  }
}

function joinPair(symbols: readonly string[], left: string, right: string): string[] {
  const joined: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const matches = symbols[i] === left && symbols[i + 1] === right;
    joined.push(matches ? left + right : symbols[i]);
    if (matches) i++;
  }
  return joined;
}
