import { z } from 'zod';
import { settings } from './config.js';

/** docs/configuration.md: every setting with its type, default and sentence, in the order of the record. */
export function printConfiguration(): string {
  const groups = Object.entries(settings).map(([name, fields]) => {
    const lines = Object.entries(fields).map(([variable, schema]) => printSetting(variable, schema));
    return `## ${titleOf(name)}\n\n${lines.join('\n')}\n`;
  });
  return `${HEADER}\n${groups.join('\n')}`;
}

const HEADER = `# Configuration

Settings are environment variables, read once at the start by \`libs/platform/src/config.ts\`; all that cannot be used are
named together. An empty value counts as not set. This page is printed by \`node scripts/print-configuration.mjs\`.
`;

interface InputSchema {
  description?: string;
  default?: unknown;
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

const titleOf = (group: string) => (group === 'http' ? 'HTTP' : `${group[0].toUpperCase()}${group.slice(1)}`);

function printSetting(variable: string, schema: z.ZodType): string {
  const input = z.toJSONSchema(schema, { io: 'input' }) as InputSchema;
  const initial = defaultOf(schema, input);
  const shown = initial === undefined ? 'not set' : `default \`${String(initial)}\``;
  return `- \`${variable}\` (${kindOf(input)}; ${shown}): ${input.description ?? ''}`;
}

/** As one would write it; a setting that is transformed tells only the outcome (a flag). */
function defaultOf(schema: z.ZodType, input: InputSchema): unknown {
  return input.default ?? schema.parse(undefined);
}

function kindOf({ type, enum: words, minimum, maximum }: InputSchema): string {
  if (words?.includes('true')) return '`true` or `false`';
  if (words) return words.map((word) => `\`${word}\``).join(', ');
  if (type !== 'integer' && type !== 'number') return 'text';
  return `${type === 'integer' ? 'whole number' : 'number'}, ${minimum} to ${maximum}`;
}
