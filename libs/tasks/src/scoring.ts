/**
 * How an output is compared: `text` word for word; `json` by value; `final` by what follows the last "Answer:", for
 * outputs that show their reasoning first.
 */
export type ScoringMethod = 'text' | 'json' | 'final';

export interface Scoring {
  method: ScoringMethod;
  /** Any of these is right. */
  accepted: readonly string[];
}

/** Whether `output` is one of the accepted answers. Case counts; surrounding space and a last full stop do not. */
export function matches(output: string, scoring: Scoring): boolean {
  const read = readers[scoring.method];
  const given = read(output);
  return given !== undefined && scoring.accepted.some((accepted) => read(accepted) === given);
}

const readers: Record<ScoringMethod, (text: string) => string | undefined> = {
  text: normalise,
  final: (text) => normalise(text.split('Answer:').at(-1)!),
  json: canonicalJson,
};

function normalise(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/\s+/g, ' ').trim());
  return lines.join('\n').trim().replace(/\.$/, '');
}

/** The same string for equal JSON values, whatever the order of their keys. */
function canonicalJson(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) => (isRecord(value) ? sortedByKey(value) : value));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedByKey(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
