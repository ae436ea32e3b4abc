import * as errors from '@attune/platform';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { errorBody, retryHeaders, statusOf } from './error-body.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const SOURCES = ['apps/gateway/src', 'libs/persistence/src/repositories'];
/** Given as a parameter, so that no call of a constructor shows them. */
const BY_PARAMETER = ['400 session_expired', '400 websocket_connection_limit_reached'];

type Kind = new (message: string) => errors.AppError;
/** The product's kinds of errors, by name. */
const kinds = new Map(
  Object.entries(errors).flatMap(([name, one]): [string, Kind][] =>
    typeof one === 'function' && one.prototype instanceof errors.AppError ? [[name, one as Kind]] : [],
  ),
);

/** `status code`, and whether the client is told when to ask again, of every error of the gateway that names a code. */
function codesInSource(): Map<string, boolean> {
  const codes = new Map<string, boolean>();
  const files = SOURCES.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)),
  ).filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  for (const file of files) {
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const match of text.matchAll(/new (\w+Error)\(/g)) {
      const call = untilClosed(text, match.index + match[0].length);
      const code = /\bcode: '(\w+)'/.exec(call)?.[1];
      const kind = kinds.get(match[1]!);
      if (code && kind) codes.set(`${statusOf(new kind(''))} ${code}`, call.includes('retryAfterSeconds'));
    }
  }
  return codes;
}

/** What stands before the bracket that closes the call; brackets within texts are none. */
function untilClosed(text: string, from: number): string {
  let depth = 1;
  let quote = '';
  let at = from;
  for (; depth > 0 && at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\') at++;
    else if (quote) quote = character === quote ? '' : quote;
    else if (`'"\``.includes(character)) quote = character;
    else depth += character === '(' ? 1 : character === ')' ? -1 : 0;
  }
  return text.slice(from, at);
}

/** The table of docs/api-compatibility.md. */
function codesInDocs(): Map<string, { type: string; retryAfter: boolean }> {
  const page = readFileSync(path.join(root, 'docs/api-compatibility.md'), 'utf8');
  const rows = page.matchAll(/^\| (\d{3}) +\| `(\w+)` +\| `(\w+)` +\|.*\| (yes|no) +\|$/gm);
  return new Map(
    [...rows].map(([, status, type, code, yes]) => [`${status} ${code}`, { type, retryAfter: yes === 'yes' }]),
  );
}

const documented = codesInDocs();
const defaults = [...kinds.values()].map((kind) => {
  const error = new kind('');
  const { type, code } = errorBody(error).error;
  return { row: `${statusOf(error)} ${code}`, type };
});

it('every code the gateway answers with stands in docs/api-compatibility.md, with its status and whether to come again', () => {
  const source = codesInSource();
  expect(source.size).toBeGreaterThan(30);
  const told = Object.fromEntries([...source.keys()].map((row) => [row, documented.get(row)?.retryAfter]));
  expect(told).toEqual(Object.fromEntries(source));
  for (const { row, type } of defaults.filter(({ row }) => !row.endsWith('null'))) {
    expect(documented.get(row)?.type, row).toBe(type);
  }
});

it('and no code stands there that nothing answers with', () => {
  const given = new Set([...codesInSource().keys(), ...defaults.map(({ row }) => row), ...BY_PARAMETER]);
  expect([...documented.keys()].filter((row) => !given.has(row))).toEqual([]);
  const types = new Map(defaults.map(({ row, type }) => [row.slice(0, 3), type]));
  for (const [row, { type }] of documented) expect(type, row).toBe(types.get(row.slice(0, 3)));
});

it('clients that ask again by themselves are told when, or not to', () => {
  expect(retryHeaders(new errors.RateLimitedError('', { retryAfterSeconds: 2 }))).toEqual({ 'retry-after': '2' });
  expect(retryHeaders(new errors.RateLimitedError('', { retryAfterSeconds: 9_000 }))).toEqual({
    'retry-after': '9000',
    'x-should-retry': 'false',
  });
  expect(retryHeaders(new errors.ConflictError(''))).toEqual({ 'x-should-retry': 'false' });
  expect(retryHeaders(new errors.UnavailableError(''))).toEqual({});
});
