import { rm } from 'node:fs/promises';
import { InvalidRequestError } from '@attune/platform';
import type { DeviceWish } from '@attune/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BaseModel } from '../model/base-model.js';
import { type BeforeWork, ordinaryDevice } from '../model/ordinary-device.fixture.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { forOneJob } from '../model/training-device.js';
import { nothingTold, runTinyJob, tinyConfig, tinyOthers, type TinyRun, tinyWords } from './tiny-job.fixture.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(tinyWords);
});
afterAll(() => rm(model.folder, { recursive: true }));

const failsAt =
  (what: string, count: number, error = new Error('the driver gave up')): BeforeWork =>
  (done, n) => {
    if (done === what && n === count) throw error;
  };
const sftOnly = { ...tinyConfig, stages: ['sft' as const], sft: { ...tinyConfig.sft, max_steps: 4 } };
const { ppo } = tinyConfig;
const jobs = {
  sft: sftOnly,
  dpo: { ...tinyOthers, stages: ['dpo' as const], dpo: { ...tinyOthers.dpo, max_steps: 3 } },
  kto: { ...tinyOthers, stages: ['kto' as const], kto: { ...tinyOthers.kto, max_steps: 3 } },
  'reward model and PPO': {
    ...tinyConfig,
    stages: ['reward' as const, 'ppo' as const],
    ppo: { ...ppo, iterations: 2, rollouts_per_iteration: 2, minibatches: 1, ppo_epochs: 1 },
  },
};

/** Runs a job on a device that fails so. */
function start(before: BeforeWork, wish: DeviceWish = 'auto', { job = sftOnly, ...run }: TinyRun = {}) {
  const { device, runtime, countTensors } = ordinaryDevice(model.runtime, before);
  const warnings: string[] = [];
  const journal = { warn: (message: string) => void warnings.push(message) };
  const onDevice = forOneJob({ ...model, runtime, device: { wish, device } }, journal);
  const told = nothingTold();
  return { run: runTinyJob(onDevice, { ...run, job, told, warn: journal.warn }), told, warnings, countTensors };
}

describe('a job whose device fails', () => {
  it.each(
    (Object.keys(jobs) as (keyof typeof jobs)[]).flatMap((name) => [1, 2, 3, 4].map((pass) => [name, pass] as const)),
  )('goes on on the CPU under auto, and ends as it would have there: %s, pass %i', async (name, pass) => {
    const { run, told, warnings, countTensors } = start(failsAt('pass', pass), 'auto', { job: jobs[name] });
    const { policy } = await run;
    const want = nothingTold();
    const { policy: onCpu } = await runTinyJob(model, { job: jobs[name], told: want });
    expect(warnings).toEqual(['Trains on the CPU instead: the cuda device failed (the driver gave up)']);
    expect(told.stages).toEqual(want.stages);
    for (const [parameter, { data }] of onCpu.parameters)
      policy.parameters.get(parameter)!.data.forEach((x, i) => expect(x, parameter).toBeCloseTo(data[i]!, 4));
    expect(countTensors()).toBe(0);
  });

  it.each([1, 2])('goes on from the values before an update that fails, where these are here: %i', async (update) => {
    const { run, warnings } = start(failsAt('update', update));
    const { policy } = await run;
    expect(warnings).toHaveLength(1);
    const { policy: onCpu } = await runTinyJob(model, { job: sftOnly });
    for (const [name, { data }] of onCpu.parameters)
      policy.parameters.get(name)!.data.forEach((x, i) => expect(x, name).toBeCloseTo(data[i]!, 4));
  });

  it('fails with the cause, which no release hides, where the device takes with it what it has trained', async () => {
    const { run, countTensors } = start(failsAt('update', 2), 'auto', { saveEveryMs: Infinity });
    await expect(run).rejects.toThrow(/^the cuda device cannot train this job: the driver gave up\. Lower micro_batch/);
    expect(countTensors()).toBe(0);
  });

  it('fails with what would help where the device was named', async () => {
    const { run, told } = start(failsAt('pass', 3), 'cuda');
    await expect(run).rejects.toThrow(/^the cuda device cannot train this job: the driver gave up\. Lower micro_batch/);
    expect(told.stages.length).toBeGreaterThan(0);
  });

  it.each([new InvalidRequestError('the batch is empty'), new RangeError('no such axis')])(
    'fails with an error that is none of the device: %s',
    async (error) => {
      for (const wish of ['auto', 'cuda'] as const) {
        const { run, warnings } = start(failsAt('pass', 1, error), wish);
        await expect(run).rejects.toBe(error);
        expect(warnings).toEqual([]);
      }
    },
  );
});
