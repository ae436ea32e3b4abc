import type { ChatMessage } from '@attune/contracts';
import { type CuratedRow, type Filtered, filterRows } from './curated-row.js';

/** Tokens of a conversation under the model's chat template. */
export type CountTokens = (messages: readonly ChatMessage[]) => number;

/** Drops rows whose prompt with either answer is longer than a training row. */
export function limitLength<Row extends CuratedRow>(
  rows: readonly Row[],
  maxTokens: number,
  count: CountTokens,
): Filtered<Row> {
  return filterRows(rows, (row) => {
    const answers = row.rejected === null ? [row.chosen] : [row.chosen, row.rejected];
    const longest = Math.max(
      ...answers.map((content) => count([...row.prompt, { role: 'assistant', content } as const])),
    );
    return longest > maxTokens ? `has ${longest} tokens, more than the ${maxTokens} of a training row` : null;
  });
}
