import { z } from 'zod';
import { tuningJobConfig } from './tuning/job.js';

interface Field {
  readonly default?: unknown;
  readonly description?: string;
}

/**
 * Fills every `<!-- settings: name -->` … `<!-- /settings -->` block of a page with a table of that section's settings:
 * name, default and sentence, in the order of the schema.
 * @throws RangeError for a section that a tuning job does not have
 */
export function fillSettings(page: string): string {
  return page.replace(BLOCK, (_, name: string) => `<!-- settings: ${name} -->\n\n${table(name)}\n\n<!-- /settings -->`);
}

const BLOCK = /<!-- settings: ([a-z_]+) -->[\s\S]*?<!-- \/settings -->/g;

function table(name: string): string {
  const rows = Object.entries(fieldsOf(name)).map(([key, field]) => [
    `\`${key}\``,
    shown(field.default),
    field.description ?? '',
  ]);
  return aligned([
    ['setting', 'default', 'meaning'],
    ...rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|'))),
  ]);
}

function fieldsOf(name: string): Readonly<Record<string, Field>> {
  const { properties = {} } = z.toJSONSchema(tuningJobConfig, { io: 'input' });
  const section = properties[name];
  if (typeof section !== 'object' || !section.properties)
    throw new RangeError(`a tuning job has no section of settings called "${name}"`);
  return section.properties as Readonly<Record<string, Field>>;
}

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** A Markdown table as the formatter lays it out, so that printing and formatting agree. */
function aligned(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => [...row[column]!].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell + ' '.repeat(widths[column]! - [...cell].length)).join(' | ')} |`;
  const [header, ...body] = rows;
  return [line(header!), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}
