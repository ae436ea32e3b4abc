/** Context that must match before its continuation is taken for a draft: shorter matches are mostly chance. */
const SHORTEST_MATCH = 2;
/** Matches are told apart up to this length; the longest wins, then the latest. */
const LONGEST_MATCH = 6;

/**
 * What may come next, if the text goes on as it did before: the tokens that followed the longest (then latest) earlier
 * occurrence of the last ones. Prompt lookup decoding, Saxena 2023: answers that quote their context are drafted from it.
 * @param from positions before this one are not looked at
 * @returns at most `most` tokens; none when nothing matches
 */
export function lookUpDraft(tokens: readonly number[], most: number, from = 0): number[] {
  const end = tokens.length;
  const last = tokens[end - 1];
  let best = { at: -1, length: SHORTEST_MATCH - 1 };
  for (let at = end - 2; at >= from; at--) {
    if (tokens[at] !== last) continue;
    const length = matchLength(tokens, at, from);
    if (length > best.length) best = { at, length };
    if (length === LONGEST_MATCH) break;
  }
  return best.at < 0 ? [] : continuation(tokens, best.at + 1, most);
}

/** How many tokens up to and with position `at` equal the last ones. */
function matchLength(tokens: readonly number[], at: number, from: number): number {
  const end = tokens.length - 1;
  let length = 1;
  while (length < LONGEST_MATCH && at - length >= from && tokens[at - length] === tokens[end - length]) length++;
  return length;
}

/** The text from `start` on; where it runs into its own end, a repetition that has just begun goes on repeating. */
function continuation(tokens: readonly number[], start: number, most: number): number[] {
  const period = tokens.length - start;
  return Array.from({ length: most }, (_, i) => tokens[start + (i % period)]!);
}
