import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkDataFolder, checkPort } from './preflight.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'attune-preflight-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes a data folder and leaves nothing in it', () => {
  const dataDir = path.join(folder, 'new', 'data');
  checkDataFolder(dataDir);
  expect(readdirSync(dataDir)).toEqual([]);
});

it('says that a file is no folder', () => {
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  expect(() => checkDataFolder(file)).toThrow(`DATA_DIR=${file} is not a folder`);
  expect(() => checkDataFolder(path.join(file, 'data'))).toThrow('is not a folder');
});

it('names a taken port and how to choose another', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(checkPort('127.0.0.1', port)).rejects.toThrow(`PORT=${port + 1} npm start`);
  server.close();
});

it('finds a free port for 0, and takes a free one as it is', async () => {
  const port = await checkPort('127.0.0.1', 0);
  expect(port).toBeGreaterThan(0);
  expect(await checkPort('127.0.0.1', port)).toBe(port);
});

it('says that a host is none of this machine', async () => {
  await expect(checkPort('192.0.2.1', 0)).rejects.toThrow('HOST=192.0.2.1');
});
