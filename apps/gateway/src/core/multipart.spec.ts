import { expect, it } from 'vitest';
import { safeName } from './multipart.js';

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
