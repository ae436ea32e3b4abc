import { capPerUser } from './per-user-cap.js';
import type { Filtered, ReviewedFeedback, SplitRow, SuppliedRow } from './curated-row.js';
import { decontaminate } from './decontaminate.js';
import { dedupe } from './dedupe.js';
import { toDemonstrations } from './demonstrations.js';
import { splitHeldout } from './heldout-split.js';
import { type CountTokens, limitLength } from './length.js';
import { toPreferences } from './preferences.js';
import { keepUsable } from './quality.js';
import { redactPii } from './redact-pii.js';
import { toThumbs } from './thumbs.js';

export interface CurationRules {
  readonly maxRowsPerUser: number;
  readonly heldoutShare: number;
  /** Longest training row, prompt and answer together. */
  readonly maxTokens: number;
  readonly countTokens: CountTokens;
  /** Questions of the gate's task suite, which must not be trained on. */
  readonly suiteQuestions: readonly string[];
}

export interface Curated {
  readonly rows: readonly SplitRow[];
  /** How many rows each filter dropped, in the order they ran. */
  readonly dropped: Readonly<Record<string, number>>;
}

/**
 * Approved feedback, oldest first, and rows of other sources into training rows: rows out of feedback, then one filter
 * after the other, then the split.
 */
export function curate(
  feedback: readonly ReviewedFeedback[],
  rules: CurationRules,
  supplied: readonly SuppliedRow[] = [],
): Curated {
  const filters: [name: string, filter: (rows: readonly SuppliedRow[]) => Filtered<SuppliedRow>][] = [
    ['quality', keepUsable],
    ['duplicates', dedupe],
    ['task suite', (rows) => decontaminate(rows, rules.suiteQuestions)],
    ['length', (rows) => limitLength(rows, rules.maxTokens, rules.countTokens)],
    ['per user', (rows) => capPerUser(rows, rules.maxRowsPerUser)],
  ];
  let rows: readonly SuppliedRow[] = [
    ...toDemonstrations(feedback),
    ...toPreferences(feedback),
    ...toThumbs(feedback),
    ...supplied,
  ].map(redactPii);
  const dropped: Record<string, number> = {};
  for (const [name, filter] of filters) {
    const result = filter(rows);
    rows = result.kept;
    dropped[name] = result.dropped.length;
  }
  return { rows: splitHeldout(rows, rules.heldoutShare), dropped };
}
