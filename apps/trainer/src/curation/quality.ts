import { type CuratedRow, type Filtered, filterRows } from './curated-row.js';

/** From this many words on, an answer that says few different ones is stuck in a loop. */
const LOOP_WORDS = 20;
const LOOP_DISTINCT_SHARE = 0.2;

/** Drops rows nothing good can be learnt from: empty, garbled, looping, or with two equal answers. */
export function keepUsable<Row extends CuratedRow>(rows: readonly Row[]): Filtered<Row> {
  return filterRows(rows, (row) => {
    if (!row.prompt.some(({ role, content }) => role === 'user' && content.trim() !== '')) return 'has no question';
    if (row.kind === 'graded') return null;
    if (row.chosen.trim() === '') return 'has an empty answer to learn';
    // What people did not like may be garbled in any way: that is what there is to learn from it.
    if (row.label === false) return null;
    if (row.chosen.includes('\uFFFD')) return 'has characters that were not decoded';
    if (isLoop(row.chosen)) return 'repeats itself';
    if (row.rejected?.trim() === '') return 'prefers an answer to nothing';
    if (row.rejected !== null && row.rejected.trim() === row.chosen.trim()) return 'prefers an answer to itself';
    return null;
  });
}

function isLoop(text: string): boolean {
  const words = text.toLowerCase().match(/\S+/g) ?? [];
  return words.length >= LOOP_WORDS && new Set(words).size < words.length * LOOP_DISTINCT_SHARE;
}
