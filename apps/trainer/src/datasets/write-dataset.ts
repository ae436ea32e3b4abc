import { InvalidRequestError } from '@attune/platform';
import type { DataExample, DataFormat } from './example.js';

/**
 * Examples as JSON lines of one format.
 * @throws InvalidRequestError when the format has no words for one of them
 */
export function writeDataset(examples: readonly DataExample[], format: DataFormat): string {
  const lines = examples.map((example, i) => {
    const row = format.write(example);
    if (row === null)
      throw new InvalidRequestError(
        `Example ${i + 1} is a ${example.kind} that ${format.name} has no words for; choose another format`,
      );
    return JSON.stringify(row);
  });
  return lines.map((line) => `${line}\n`).join('');
}
