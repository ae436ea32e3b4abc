import { batchLine, type BatchEndpoint, type BatchError, type BatchLine } from '@attune/contracts';

const MOST_LINES = 50_000;
const MOST_ERRORS = 100;

export type ReadLines = { ok: true; lines: BatchLine[] } | { ok: false; errors: BatchError[] };

/** The requests of a batch's input file, or everything that is wrong with it (the first hundred things). */
export function readBatchLines(text: string, endpoint: BatchEndpoint): ReadLines {
  const lines: BatchLine[] = [];
  const errors: BatchError[] = [];
  const known = new Set<string>();
  for (const [index, row] of text.split('\n').entries()) {
    if (row.trim() === '') continue;
    const found = readLine(row, endpoint, known);
    if ('message' in found) errors.push({ ...found, line: index + 1 });
    else lines.push(found);
  }
  if (lines.length + errors.length === 0) errors.push(fault('empty_file', 'The input file holds no requests.'));
  if (lines.length > MOST_LINES) {
    errors.push(fault('too_many_tasks', `The input file holds ${lines.length} requests; send at most ${MOST_LINES}.`));
  }
  return errors.length > 0 ? { ok: false, errors: errors.slice(0, MOST_ERRORS) } : { ok: true, lines };
}

function readLine(row: string, endpoint: BatchEndpoint, known: Set<string>): BatchLine | BatchError {
  const parsed = parse(row);
  if (parsed === undefined) return fault('invalid_json_line', 'This line is not JSON.');
  const result = batchLine.safeParse(parsed);
  if (!result.success) {
    const [issue] = result.error.issues;
    const param = issue.path.join('.') || null;
    return fault('invalid_request', `${param ? `\`${param}\`` : 'The line'} cannot be used: ${issue.message}.`, param);
  }
  const line = result.data;
  if (line.url !== endpoint) {
    return fault('mismatched_url', `\`url\` is \`${line.url}\`; this batch is for \`${endpoint}\`.`, 'url');
  }
  if (line.body.stream)
    return fault('invalid_request', '`body.stream` has no meaning in a batch; leave it out.', 'body');
  if (known.has(line.custom_id)) {
    return fault('duplicate_custom_id', `\`custom_id\` \`${line.custom_id}\` was used before.`, 'custom_id');
  }
  known.add(line.custom_id);
  return line;
}

function parse(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return undefined;
  }
}

const fault = (code: string, message: string, param: string | null = null): BatchError => ({
  code,
  message,
  param,
  line: null,
});
