import { type CuratedRow, type Filtered, filterRows, normalized } from './curated-row.js';

/** Keeps the first of rows that say the same: same kind, same prompt, same answers. */
export function dedupe<Row extends CuratedRow>(rows: readonly Row[]): Filtered<Row> {
  const seen = new Set<string>();
  return filterRows(rows, (row) => {
    const key = sameness(row);
    if (seen.has(key)) return 'says the same as an earlier row';
    seen.add(key);
    return null;
  });
}

function sameness({ kind, prompt, chosen, rejected, label, item }: CuratedRow): string {
  const messages = prompt.map(({ role, content }) => [role, normalized(content)]);
  // Answers are compared to the letter: a correction may be nothing but case or punctuation.
  return JSON.stringify([kind, messages, chosen.trim(), rejected?.trim() ?? null, label, item ?? null]);
}
