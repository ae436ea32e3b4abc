import { type CuratedRow, type Filtered, filterRows, normalized } from './curated-row.js';

/**
 * Drops rows whose question is one the gate asks: a model must not be examined on what it was taught.
 * @param questions The last user message of every question of the task suite.
 */
export function decontaminate<Row extends CuratedRow>(
  rows: readonly Row[],
  questions: readonly string[],
): Filtered<Row> {
  const asked = new Set(questions.map(normalized));
  return filterRows(rows, ({ prompt }) => {
    const question = prompt.findLast(({ role }) => role === 'user');
    return question && asked.has(normalized(question.content)) ? 'is a question of the task suite' : null;
  });
}
