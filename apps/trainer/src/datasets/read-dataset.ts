import { gunzipSync } from 'node:zlib';
import { InvalidRequestError, messageOf } from '@attune/platform';
import type { DataExample } from './example.js';
import { formatOf, formats } from './formats/index.js';

/** Most rows of a file that are named when they are wrong. */
const NAMED_PROBLEMS = 5;

export interface ReadDataset {
  readonly examples: readonly DataExample[];
  /** How many rows were of each format. */
  readonly formats: Readonly<Record<string, number>>;
}

/**
 * The examples of a file: a JSON list or JSON lines, plain or gzipped, every row in a format of its own if it likes.
 * @throws InvalidRequestError naming the first rows that cannot be read
 */
export function readDataset(content: Uint8Array, name: string): ReadDataset {
  const rows = parseRows(decompressed(content), name);
  const examples: DataExample[] = [];
  const counts: Record<string, number> = {};
  const problems: string[] = [];
  rows.forEach(({ row, place }) => {
    try {
      const { format, found } = readRow(row);
      counts[format] = (counts[format] ?? 0) + 1;
      examples.push(...found);
    } catch (error) {
      problems.push(`${place}: ${messageOf(error)}`);
    }
  });
  if (problems.length > 0) throw new InvalidRequestError(describe(name, problems));
  if (examples.length === 0) throw new InvalidRequestError(`${name} has no rows`);
  return { examples, formats: counts };
}

/** One row, whatever its format. @throws InvalidRequestError */
export function readRow(row: unknown): { format: string; found: DataExample[] } {
  const format = formatOf(row);
  if (!format)
    throw new InvalidRequestError(
      `its keys are those of no format; known are ${formats.map(({ name, keys }) => `${name} (${keys.join(', ')})`).join('; ')}`,
    );
  const parsed = format.schema.safeParse(row);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InvalidRequestError(`read as ${format.name}, \`${issue.path.join('.')}\` is wrong: ${issue.message}`);
  }
  return { format: format.name, found: format.read(parsed.data) };
}

interface PlacedRow {
  readonly row: unknown;
  readonly place: string;
}

function parseRows(text: string, name: string): PlacedRow[] {
  if (text.trimStart().startsWith('[')) {
    const list = parseJson(text, name) as unknown[];
    return list.map((row, i) => ({ row, place: `row ${i + 1}` }));
  }
  return text.split('\n').flatMap((line, i) => {
    const place = `line ${i + 1}`;
    return line.trim() === '' ? [] : [{ row: parseJson(line, `${name}, ${place}`), place }];
  });
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequestError(`${where} is no JSON: ${messageOf(cause)}`, { cause });
  }
}

function decompressed(content: Uint8Array): string {
  const zipped = content[0] === 0x1f && content[1] === 0x8b;
  return new TextDecoder('utf-8').decode(zipped ? gunzipSync(content) : content);
}

function describe(name: string, problems: readonly string[]): string {
  const more = problems.length > NAMED_PROBLEMS ? `\n  and ${problems.length - NAMED_PROBLEMS} more` : '';
  const named = problems.slice(0, NAMED_PROBLEMS).map((problem) => `  ${problem}`);
  return `${name} has rows that cannot be read:\n${named.join('\n')}${more}`;
}
