import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { replaceFile } from '@attune/checkpoint';
import { float32, hostTensor, type HostTensor } from '@attune/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preparedWeights } from './prepared-weights.js';

describe('prepared weights', () => {
  let folder: string;
  let made: number;
  beforeEach(() => {
    folder = path.join(mkdtempSync(path.join(tmpdir(), 'attune prepared ')), 'not yet there');
    made = 0;
  });
  afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

  const make = (): Record<string, HostTensor> => {
    made += 1;
    return {
      'head.int4': hostTensor('uint8', [3], Uint8Array.of(1, 2, 3)), // its odd length must not shift the floats
      'head.int4.scales': float32([2, 1], Float32Array.of(0.5, -0.25)),
      'head.columns': hostTensor('int8', [2], Int8Array.of(-7, 7)),
    };
  };
  const get = (base = 'base', settings: object = { maxSeq: 8 }) =>
    preparedWeights({ folder, base }, settings, ['int4', 'dq8r'], make);
  const files = () => readdirSync(folder);

  it('are made once, and are the same from the file, by name, type and shape', async () => {
    const [first, second] = [await get(), await get()];
    expect(made).toBe(1);
    expect(second).toEqual(make());
    expect(first).toEqual(second);
    expect(files()).toHaveLength(1);
  });

  it('are made anew for another model and other settings', async () => {
    await get();
    await get('other');
    await get('base', { maxSeq: 16 });
    expect(made).toBe(3);
    expect(files()).toHaveLength(3);
  });

  it('are made anew when their file is damaged', async () => {
    await get();
    truncateSync(path.join(folder, files()[0]!), 100);
    expect(await get()).toEqual(make());
    expect(made).toBe(3); // twice by `get`, once to compare
  });

  it('leave only those of the last few models on the disk', async () => {
    for (const base of 'abcdef') await get(base);
    expect(files()).toHaveLength(4);
  });

  it('are rid of what a killed process was writing, at the next start', async () => {
    await get();
    const [file] = files();
    // As the process that wrote it would have named it: this one, but started at another time.
    let written = '';
    await replaceFile(path.join(folder, file!), async (temporary) => {
      await copyFile(path.join(folder, file!), temporary);
      written = temporary;
    });
    writeFileSync(written.replace(/-\d+(\.[0-9a-f]{12}\.tmp)$/, '-1$1'), 'half');
    expect(files()).toHaveLength(2);
    await get();
    expect(files()).toEqual([file]);
  });

  it('stay in memory where they cannot be written', async () => {
    writeFileSync(folder, 'a file where the folder should be');
    expect(await get()).toEqual(make());
  });
});
