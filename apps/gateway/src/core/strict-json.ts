import { InvalidRequestError, messageOf } from '@attune/platform';

/** Deep enough for any schema people write, far from what would exhaust a stack. */
const DEEPEST = 128;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A JSON body, read so that two readers could not understand it differently: UTF-8 without errors, no key twice in one
 * object, no deeper than {@link DEEPEST}. Nothing at all is undefined.
 * @throws InvalidRequestError
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  const text = decoded(bytes);
  const value = parsed(text);
  expectPlain(text);
  return value;
}

function decoded(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new InvalidRequestError('The request body is not UTF-8; encode it so.', { code: 'invalid_utf8', cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequestError(`The request body is not JSON: ${messageOf(cause)}.`, {
      code: 'invalid_json',
      cause,
    });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One walk over text that is known to be JSON. */
function expectPlain(text: string): void {
  /** The keys of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  let keyExpected = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (keyExpected) addKey(open.at(-1)!, text.slice(at, end + 1));
      keyExpected = false;
      at = end;
    } else if (code === 0x7b || code === 0x5b) {
      if (open.length >= DEEPEST) throw tooDeep();
      open.push(code === 0x7b ? new Set() : null);
      keyExpected = code === 0x7b;
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
      keyExpected = false;
    } else if (code === 0x2c) keyExpected = open.at(-1) !== null;
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at;
  }
}

function addKey(keys: Set<string>, literal: string): void {
  const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  if (keys.has(key)) {
    throw new InvalidRequestError(`The request body has \`${key.slice(0, 100)}\` twice in one object; send it once.`, {
      param: key.slice(0, 100),
      code: 'duplicate_key',
    });
  }
  keys.add(key);
}

const tooDeep = () =>
  new InvalidRequestError(`The request body is nested deeper than ${DEEPEST} levels; flatten it.`, {
    code: 'too_deep',
  });
