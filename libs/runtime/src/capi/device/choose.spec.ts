import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runScript } from '../child.js';
import { chooseDevice, type GpuSigns, lookForGpus, verdictOf } from './choose.js';

const none: GpuSigns = { nvidia: false, any: false, fingerprint: '', cudaProvider: true };

describe('the choice of a device', () => {
  const cache = mkdtempSync(path.join(tmpdir(), 'attune devices '));
  afterAll(() => rmSync(cache, { recursive: true, force: true }));

  it('loads nothing where the system shows no GPU', () => {
    const start = performance.now();
    expect(chooseDevice(cache, none)).toEqual({ kind: null, reason: 'the system shows no GPU' });
    expect(performance.now() - start).toBeLessThan(50); // a child process alone would take longer
  });

  it.skipIf(lookForGpus().any)('says of every device it tried why it is not taken (skipped beside a GPU)', () => {
    const { kind, reason } = chooseDevice(cache, { ...none, nvidia: true, any: true });
    expect(kind).toBe(null);
    expect(reason).toMatch(/^cuda: .*--onnxruntime-node-install=cuda12.*; webgpu: /s);
  });

  it('tries a device once a process, and remembers what does not hang on how busy the machine was', () => {
    const signs = { ...none, any: true };
    const crashed = { ended: 'crashed', how: 'it ended with SIGSEGV' } as const;
    const late = { ended: 'late', how: 'it took longer than 20 s' } as const;
    const told = JSON.stringify({ isRight: true, deviceMs: 1, cpuMs: 40 });
    for (const [result, isRemembered] of [
      [crashed, true],
      [late, false],
      [{ ended: 'well', output: JSON.stringify({ failure: 'a library is missing' }) }, false],
      [{ ended: 'well', output: told }, true],
    ] as const) {
      const folder = mkdtempSync(path.join(cache, 'trial '));
      let trials = 0;
      const choose = () => chooseDevice(folder, signs, () => (trials++, result));
      expect(choose()).toEqual(choose());
      expect({ trials, kept: existsSync(path.join(folder, 'device-webgpu.json')) }).toEqual({
        trials: 1,
        kept: isRemembered,
      });
    }
  });

  it('tells a trial that was ended for taking too long from one that crashed', () => {
    expect(runScript('device-trial-main.js', ['webgpu'], 1)).toEqual({
      ended: 'late',
      how: 'the test process took longer than 0.001 s',
    });
  });

  it('takes a device that computes right and is clearly faster than the CPU, and no other', () => {
    const fast = { isRight: true, deviceMs: 1, cpuMs: 40 };
    expect(verdictOf('webgpu', fast)).toEqual({
      kind: 'webgpu',
      reason: 'it computes right and 40.0 times as fast as one CPU thread',
    });
    expect(verdictOf('webgpu', { ...fast, isRight: false }).kind).toBe(null);
    expect(verdictOf('webgpu', { ...fast, deviceMs: 9_000 })).toEqual({
      kind: null,
      reason: 'it is only 0.0 times as fast as one CPU thread',
    });
  });
});
