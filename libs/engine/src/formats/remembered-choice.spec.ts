import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FormatMeasure } from './choose-format.js';
import { rememberedMeasures } from './remembered-choice.js';

const folder = mkdtempSync(path.join(tmpdir(), 'attune-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));

const given = { model: 'digest', threads: 2, version: '1.30.0', exactProducts: true };
const measures: [FormatMeasure] = [{ format: 'fp32', decodeMs: 1, prefillMs: 2, divergence: 0 }];

describe('measures of weight formats', () => {
  it('are taken once for a model and number of threads', async () => {
    let taken = 0;
    const take = async () => {
      taken += 1;
      return measures;
    };
    const cache = path.join(folder, 'once');
    for (let i = 0; i < 3; i++) expect(await rememberedMeasures(cache, given, take)).toEqual(measures);
    expect(taken).toBe(1);
    await rememberedMeasures(cache, { ...given, threads: 4 }, take);
    await rememberedMeasures(cache, { ...given, model: 'other' }, take);
    await rememberedMeasures(cache, { ...given, exactProducts: false }, take);
    expect(taken).toBe(4);
    await rememberedMeasures(undefined, given, take);
    expect(taken).toBe(5);
  });

  it('are taken again where the file is damaged', async () => {
    const cache = path.join(folder, 'damaged');
    await rememberedMeasures(cache, given, async () => measures);
    for (const content of ['{"cut', '[]', '[{"format":"fp64"}]']) {
      writeFileSync(path.join(cache, readdirSync(cache)[0]!), content);
      let taken = 0;
      await rememberedMeasures(cache, given, async () => {
        taken += 1;
        return measures;
      });
      expect(taken).toBe(1);
    }
  });
});
