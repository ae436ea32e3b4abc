import { type CuratedRow, type Filtered, filterRows } from './curated-row.js';

/**
 * Keeps each user's newest `maxRows` rows (rows come oldest first): no one person steers the model alone. Rows of files
 * are the operator's, and are not capped.
 */
export function capPerUser<Row extends CuratedRow>(rows: readonly Row[], maxRows: number): Filtered<Row> {
  const left = new Map<string, number>();
  const kept = new Set<Row>();
  for (const row of [...rows].reverse()) {
    if (row.feedbackId === null) {
      kept.add(row);
      continue;
    }
    const remaining = left.get(row.userId) ?? maxRows;
    if (remaining > 0) kept.add(row);
    left.set(row.userId, remaining - 1);
  }
  return filterRows(rows, (row) => (kept.has(row) ? null : `its user has ${maxRows} newer rows`));
}
