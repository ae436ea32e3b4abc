import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LogFile } from './log-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'attune-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('appends to the file of the start before and remembers the last lines', () => {
  const file = path.join(folder, 'logs', 'gateway.log');
  new LogFile(file).write(Buffer.from('first start\n'));
  const log = new LogFile(file);
  for (let line = 1; line <= 20; line++) log.write(Buffer.from(`line ${line}\n`));
  expect(readFileSync(file, 'utf8')).toMatch(/^first start\nline 1\n[^]*line 20\n$/);
  expect(log.lastLines()).toEqual(Array.from({ length: 12 }, (_, index) => `line ${index + 9}`));
});

it.runIf(process.platform === 'linux')('goes on without the file when the disk is full', () => {
  const log = new LogFile('/dev/full');
  log.write(Buffer.from('lost line\n'));
  expect(log.lastLines()).toEqual(['lost line']);
});
