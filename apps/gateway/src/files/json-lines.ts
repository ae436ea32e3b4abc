import type { FilePurpose } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import path from 'node:path';

/** Purposes whose files programs read line by line. */
const LINED: ReadonlySet<FilePurpose> = new Set(['fine-tune', 'batch', 'evals']);

/**
 * Refuses a file that could only fail later, when a job reads it: the wrong extension, bytes that are no UTF-8, a line
 * that is no JSON object.
 * @throws InvalidRequestError naming the first line at fault
 */
export function expectJsonLines(purpose: FilePurpose, filename: string, content: Buffer): void {
  if (!LINED.has(purpose)) return;
  if (path.extname(filename).toLowerCase() !== '.jsonl') {
    throw fault(`A file for \`${purpose}\` must end in .jsonl, one JSON object a line; \`${filename}\` does not.`);
  }
  let rows = 0;
  for (const [index, line] of decode(filename, content).split('\n').entries()) {
    if (line.trim() === '') continue;
    if (!isObject(line)) throw fault(`Line ${index + 1} of \`${filename}\` is no JSON object.`);
    rows++;
  }
  if (rows === 0) throw fault(`\`${filename}\` is empty; put one JSON object on each line.`);
}

function decode(filename: string, content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw fault(`\`${filename}\` is not UTF-8; save it as UTF-8 and send it again.`);
  }
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const fault = (message: string) => new InvalidRequestError(message, { param: 'file', code: 'invalid_file_format' });
