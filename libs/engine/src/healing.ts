import type { Vocabulary } from '@attune/structured';

/** A prompt without its last token, and what may stand in that token's place. */
export interface HealedPrompt {
  readonly token: number;
  /** Tokens whose text begins with the one that was taken off; bit `t & 31` of word `t >> 5`. */
  readonly allowed: Int32Array;
}

/**
 * A text cut in the middle of a word ends in a token that the whole text would not have had: "http:" where the model
 * knows "http://". Such a prompt leads where no training text went. It is healed by taking the last token off and letting
 * the model draw any token that begins with its text.
 * @returns null when no other token begins so: the prompt is sound
 */
export function healPrompt(
  promptIds: readonly number[],
  vocabulary: Vocabulary,
  vocabSize: number,
): HealedPrompt | null {
  const token = promptIds.at(-1)!;
  const piece = vocabulary.pieces[token];
  if (promptIds.length < 2 || !piece) return null;
  const allowed = new Int32Array(Math.ceil(vocabSize / 32));
  let numAllowed = 0;
  for (let other = 0; other < Math.min(vocabulary.pieces.length, vocabSize); other++) {
    if (!vocabulary.pieces[other]!.startsWith(piece)) continue;
    allowed[other >> 5]! |= 1 << (other & 31);
    numAllowed += 1;
  }
  return numAllowed > 1 ? { token, allowed } : null;
}
