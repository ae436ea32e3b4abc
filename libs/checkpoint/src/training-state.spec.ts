import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TrainingStateStore } from './training-state.js';

interface Cursor {
  step: number;
}
const library = path.resolve(import.meta.dirname, '..');
const compiled = pathToFileURL(path.join(library, 'dist/training-state.js')).href;

describe('the training state', () => {
  let folder: string;
  let store: TrainingStateStore<Cursor>;
  beforeEach(() => {
    folder = path.join(mkdtempSync(path.join(tmpdir(), 'attune state ')), 'job_1');
    store = new TrainingStateStore(folder);
  });
  afterEach(() => rmSync(path.dirname(folder), { recursive: true }));

  const save = (step: number) =>
    store.save({
      json: { step },
      arrays: new Map<string, Float32Array | Int32Array | Float64Array>([
        ['weights', new Float32Array(1000).fill(step)],
        ['order', new Int32Array([step, -1])],
        ['sums', new Float64Array([step / 3])],
      ]),
    });

  it('comes back exactly, typed array by typed array', async () => {
    expect(await store.load()).toBeUndefined();
    await save(1);
    await save(2);
    const loaded = await store.load();
    expect(loaded).toMatchObject({ json: { step: 2 }, sequence: 2, skipped: [] });
    expect(loaded?.arrays.get('weights')).toEqual(new Float32Array(1000).fill(2));
    expect(loaded?.arrays.get('order')).toEqual(new Int32Array([2, -1]));
    expect(loaded?.arrays.get('sums')).toEqual(new Float64Array([2 / 3]));
  });

  it('keeps the last two', async () => {
    for (const step of [1, 2, 3, 4]) await save(step);
    expect(readdirSync(folder).sort()).toEqual(['state-0000000003.safetensors', 'state-0000000004.safetensors']);
    await store.clear();
    expect(await store.load()).toBeUndefined();
  });

  it('falls back to the save before a damaged one, and says so', async () => {
    await save(1);
    await save(2);
    const newest = path.join(folder, 'state-0000000002.safetensors');
    const bytes = readFileSync(newest);
    bytes[bytes.length - 5] ^= 1;
    writeFileSync(newest, bytes);
    const loaded = await store.load();
    expect(loaded?.json.step).toBe(1);
    expect(loaded?.skipped).toEqual([expect.stringContaining('does not match its checksum')]);
    await save(3);
    expect((await store.load())?.json.step).toBe(3);
    for (const file of readdirSync(folder)) writeFileSync(path.join(folder, file), 'x');
    await expect(store.load()).rejects.toThrow(/No saved training state can be read/);
  });

  describe('in a process of its own', () => {
    beforeAll(() => {
      const compiler = path.resolve(library, '../../node_modules/typescript/bin/tsc');
      const build = spawnSync(process.execPath, [compiler, '-b', library], { encoding: 'utf8' });
      expect(`${build.stdout}${build.stderr}`).toBe('');
    });

    const saver = (steps: number, size: number) => `
      const { TrainingStateStore } = await import(${JSON.stringify(compiled)});
      const store = new TrainingStateStore(${JSON.stringify(folder)});
      for (let step = 1; step <= ${steps}; step++) {
        await store.save({ json: { step }, arrays: new Map([['weights', new Float32Array(${size}).fill(step)]]) });
        console.log(step);
      }`;

    it('loses no acknowledged save and shows no half one when it is killed with -9', async () => {
      for (let round = 0; round < 3; round++) {
        const child = spawn(process.execPath, ['--input-type=module', '-e', saver(10_000, 400_000)]);
        let printed = '';
        child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
        while (!printed.includes('\n')) await sleep(5);
        await sleep(20 + round * 17);
        child.kill('SIGKILL');
        await once(child, 'close');
        const acknowledged = Number(printed.trim().split('\n').at(-1));
        const loaded = await store.load();
        expect(loaded?.json.step).toBeGreaterThanOrEqual(acknowledged);
        expect(loaded?.skipped).toEqual([]);
        const weights = loaded!.arrays.get('weights') as Float32Array;
        expect(weights.length).toBe(400_000);
        expect(weights.every((weight) => weight === loaded!.json.step)).toBe(true);
        rmSync(folder, { recursive: true });
      }
    }, 120_000);

    it('keeps the old state when the new one does not fit on the disk', async () => {
      await save(1);
      // A limit on file sizes (in blocks of 512 or 1024 bytes) stands in for the full disk: the write fails midway.
      const command = 'ulimit -f 100; exec "$0" --input-type=module -e "$1"';
      const child = spawnSync('bash', ['-c', command, process.execPath, saver(1, 400_000)], { encoding: 'utf8' });
      expect(child.status).not.toBe(0);
      expect(child.stderr).toContain('could not be written: the file would be larger than this system allows');
      expect((await store.load())?.json.step).toBe(1);
      expect(readdirSync(folder)).toEqual(['state-0000000001.safetensors']);
    });
  });
});
