import { expect, it } from 'vitest';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { readMultipart, safeName } from './multipart.js';

it.each([
  ['notes.md', 'notes.md'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\x\\report.pdf', 'report.pdf'],
  ['.htaccess', 'htaccess'],
  ['a\u0000b\u202etxt.exe.txt', 'abtxt.exe.txt'],
  ['<img src=x>.html', 'img src=x.html'],
  ['', 'document'],
  ['...', 'document'],
  ['Überblick 2026 – neu.txt', 'Überblick 2026 – neu.txt'],
])('makes a name to show of %j', (given, shown) => {
  expect(safeName(given)).toBe(shown);
});

it('keeps the extension of a name that is too long', () => {
  const name = safeName(`${'x'.repeat(500)}.pdf`);
  expect(name).toHaveLength(200);
  expect(name.endsWith('.pdf')).toBe(true);
});

it('takes a part that says that it is bytes and has no name', async () => {
  const parts = async function* () {
    yield { type: 'file', fieldname: 'data', filename: undefined, file: Readable.from([Buffer.from('abc')]) };
  };
  const request = { isMultipart: () => true, parts } as unknown as FastifyRequest;
  const { filename, content } = await readMultipart(request, 'data', 10);
  expect([filename, content.toString()]).toEqual(['document', 'abc']);
});
