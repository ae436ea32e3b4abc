import { expect, it } from 'vitest';
import { JsonLines } from './json-lines.js';

const LONGEST = 100;

/** The file in pieces of so many bytes. @returns the check, when all has passed by */
async function watched(content: string | Buffer, filename = 'rows.jsonl', pieceBytes = 3): Promise<JsonLines> {
  const bytes = Buffer.from(content);
  const lines = new JsonLines(filename, LONGEST);
  const pieces = (async function* () {
    for (let start = 0; start < bytes.length; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
  })();
  const passed: Buffer[] = [];
  for await (const piece of lines.watch(pieces)) passed.push(piece);
  expect(Buffer.concat(passed).equals(bytes)).toBe(true);
  return lines;
}

it.each([1, 2, 5, 1_000])(
  'takes objects, one a line, blank lines between, however they come (%i bytes)',
  async (bytes) => {
    const lines = await watched('{"a":1}\n\n{"b":"ü€😀"}\r\n', 'rows.jsonl', bytes);
    expect(() => lines.expect('fine-tune')).not.toThrow();
    const unended = await watched('{"a":1}\n{"b":2}', 'rows.JSONL', bytes);
    expect(() => unended.expect('batch')).not.toThrow();
  },
);

it.each([
  ['', /is empty/],
  ['\n \n', /is empty/],
  ['{"a":1}\n{"b":', /Line 2/],
  ['{"a":1}\n7\n{"b":\n', /Line 2/],
  ['[1]\n', /Line 1/],
  ['null', /Line 1/],
  [`{}\n{"a":"${'x'.repeat(LONGEST)}"}\n`, /Line 2 .* longer than the 100 bytes BODY_LIMIT_BYTES/],
  [`{"a":"${'ü'.repeat(60)}"}`, /Line 1 .* longer/],
  [Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
  [Buffer.concat([Buffer.from('{}\n'), Buffer.from('ü').subarray(0, 1)]), /not UTF-8/],
])('refuses %j', async (content, message) => {
  const lines = await watched(content);
  expect(() => lines.expect('evals')).toThrow(message);
});

it.each([1, 3, 1_000])('takes lines up to the longest (%i bytes)', async (bytes) => {
  const line = `{"a":"${'x'.repeat(LONGEST - 8)}"}`;
  const lines = await watched(`${line}\n${line}`, 'rows.jsonl', bytes);
  expect(() => lines.expect('batch')).not.toThrow();
});

it('holds no more than the longest line, and works no longer on a long one than on many', async () => {
  const bytes = Buffer.alloc(16 << 20, 'x');
  const spent = async (longest: number) => {
    const before = process.cpuUsage();
    const lines = new JsonLines('rows.jsonl', longest);
    const pieces = (function* () {
      for (let start = 0; start < bytes.length; start += 4_096) yield bytes.subarray(start, start + 4_096);
    })();
    for await (const _piece of lines.watch(pieces as unknown as AsyncIterable<Buffer>)) continue;
    expect(() => lines.expect('batch')).toThrow(/Line 1/);
    return process.cpuUsage(before).user;
  };
  await spent(1_000);
  expect(await spent(bytes.length)).toBeLessThan(2_000_000);
});

it('wants .jsonl only where lines are read', async () => {
  const json = await watched('{}', 'rows.json');
  expect(() => json.expect('fine-tune')).toThrow(/must end in \.jsonl/);
  const picture = await watched(Buffer.from([0xff]), 'picture.png');
  expect(() => picture.expect('user_data')).not.toThrow();
});
