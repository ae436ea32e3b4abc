import { rm } from 'node:fs/promises';
import { UnavailableError } from '@attune/platform';
import type { Device, DeviceKind } from '@attune/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTinyJob, tinyConfig, tinyOthers, tinyWords } from '../recipes/tiny-job.fixture.js';
import type { BaseModel } from './base-model.js';
import { tinyModel } from './tiny-model.fixture.js';
import { describeDevice, findDevice, forOneJob } from './training-device.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(tinyWords);
});
afterAll(() => rm(model.folder, { recursive: true }));

/** A device that can be opened and has no memory. */
const fullDevice = (kind: DeviceKind): Device => ({
  kind,
  tensor: () => Promise.reject(new Error('no memory is left there')),
  copy: async () => undefined,
  copySync: () => undefined,
});

const runtimeWith = (chosen: DeviceKind | null, open = fullDevice) => ({
  chooseDevice: () => ({ kind: chosen, reason: chosen ? 'it computes right and 9 times as fast' : 'there is no GPU' }),
  openDevice: async (kind: DeviceKind) => open(kind),
});

const nobody = { warn: () => undefined };

describe('the device that trains', () => {
  it('is the one that is named, or the trainer says what is missing', async () => {
    expect((await findDevice(runtimeWith(null), 'cuda')).device!.kind).toBe('cuda');
    const missing = () => {
      throw new UnavailableError('no cuda device can be used here');
    };
    await expect(findDevice(runtimeWith(null, missing), 'cuda')).rejects.toThrow('no cuda device');
  });

  it('is under auto what the trial says, and the job tells why', async () => {
    const none = forOneJob({ ...model, device: await findDevice(runtimeWith(null), 'auto') }, nobody);
    expect(none.memory).toBeUndefined();
    expect(describeDevice(none)).toBe('Trains on the CPU: there is no GPU');
    const one = forOneJob({ ...model, device: await findDevice(runtimeWith('webgpu'), 'auto') }, nobody);
    expect(describeDevice(one)).toBe('Trains on the webgpu device: it computes right and 9 times as fast');
    expect(describeDevice(forOneJob(model, nobody))).toBe('Trains on the CPU');
  });

  it('is the CPU under auto for a job that brought a trainer down, and stays what was named', async () => {
    const chosen = { ...model, device: await findDevice(runtimeWith('webgpu'), 'auto') };
    expect(describeDevice(forOneJob(chosen, nobody, true))).toBe(
      'Trains on the CPU: the attempt before it ended without a word',
    );
    const named = { ...model, device: await findDevice(runtimeWith(null), 'webgpu') };
    expect(describeDevice(forOneJob(named, nobody, true))).toBe('Trains on the webgpu device');
  });

  it.each(['sft', 'dpo', 'kto', 'grpo'] as const)(
    'is given up for the CPU under auto when it has no room for %s, and fails the job when it was named',
    async (stage) => {
      const job = { ...tinyOthers, sft: { ...tinyConfig.sft, max_steps: 2 }, stages: [stage] };
      const warnings: string[] = [];
      const warn = (message: string) => warnings.push(message);
      const tight = forOneJob({ ...model, device: await findDevice(runtimeWith('webgpu'), 'auto') }, { warn });
      const { policy } = await runTinyJob(tight, { job, warn });
      expect(warnings).toEqual(['Trains on the CPU instead: the webgpu device failed (no memory is left there)']);
      const { policy: want } = await runTinyJob(model, { job });
      for (const [name, { data }] of want.parameters) expect(policy.parameters.get(name)!.data, name).toEqual(data);
      const named = forOneJob({ ...model, device: await findDevice(runtimeWith(null), 'webgpu') }, nobody);
      await expect(runTinyJob(named, { job })).rejects.toThrow(
        /webgpu device cannot train this job: no memory is left there\. Lower micro_batch.*TRAINER_DEVICE=cpu/,
      );
    },
  );
});
