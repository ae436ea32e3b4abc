import { expect, it } from 'vitest';
import { expectJsonLines } from './json-lines.js';

const check = (text: string | Buffer, filename = 'rows.jsonl') =>
  expectJsonLines('fine-tune', filename, Buffer.from(text));

it('takes objects, one a line, blank lines between', () => {
  expect(() => check('{"a":1}\n\n{"b":"ü"}\r\n')).not.toThrow();
});

it.each([
  ['', /is empty/],
  ['\n \n', /is empty/],
  ['{"a":1}\n{"b":', /Line 2/],
  ['[1]\n', /Line 1/],
  ['null', /Line 1/],
  [Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
])('refuses %j', (text, message) => {
  expect(() => check(text)).toThrow(message);
});

it('wants .jsonl only where lines are read', () => {
  expect(() => check('{}', 'rows.json')).toThrow(/must end in \.jsonl/);
  expect(() => expectJsonLines('user_data', 'picture.png', Buffer.from([0xff]))).not.toThrow();
});
