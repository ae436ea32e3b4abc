import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TuningJobConfig } from '@attune/contracts';
import { loadConfig } from '@attune/platform';
import { createRuntime, type Runtime } from '@attune/runtime';
import type { ParameterSet } from '@attune/training';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BaseModel } from '../../../apps/trainer/src/model/base-model.js';
import { interruptible } from '../../../apps/trainer/src/model/interruptible.js';
import { tinyModel } from '../../../apps/trainer/src/model/tiny-model.fixture.js';
import { findDevice, forOneJob, type TrainingDevice } from '../../../apps/trainer/src/model/training-device.js';
import { initialPolicy } from '../../../apps/trainer/src/recipes/starting-policy.js';
import {
  memoryStore,
  nothingTold,
  runTinyJob,
  tinyConfig,
  tinyOthers,
  tinyWords,
} from '../../../apps/trainer/src/recipes/tiny-job.fixture.js';
import { relativeError } from '../../parity/fixtures.js';
import { describeOnSwiftShader } from '../../support/swiftshader.js';

/** Of figures, and of weights, whose first steps Adam makes as large for a gradient near zero as for any other. */
const TOLERANCE = { figures: 2e-5, weights: 1e-4 };

/** For those that read long sequences, on a machine that has other things to do. */
const LONG_MS = 150_000;
/** Without the long tasks that are replayed: a software renderer is slow. */
const sft = { ...tinyConfig.sft, replay_share: 0, max_steps: 3 };
const nobody = { warn: () => undefined };
const sftOnly = { ...tinyConfig, stages: ['sft' as const], sft };

describeOnSwiftShader('jobs with TRAINER_DEVICE=webgpu', fileURLToPath(import.meta.url), () => {
  let onCpu: BaseModel;
  let device: TrainingDevice;
  let onDevice: BaseModel;
  beforeAll(async () => {
    const { tuning } = loadConfig({ TRAINER_DEVICE: 'webgpu' });
    onCpu = { ...(await tinyModel(tinyWords)), runtime: createRuntime({ prefer: 'capi', threads: 1 }) };
    device = await findDevice(onCpu.runtime, tuning.trainerDevice);
    onDevice = forOneJob({ ...onCpu, device }, nobody);
  });
  afterAll(() => rm(onCpu.folder, { recursive: true }));

  /** Runs a job here and there and compares what it told and what it trained. */
  async function expectSameJob(job: TuningJobConfig): Promise<void> {
    const [want, got] = [nothingTold(), nothingTold()];
    const here = await runTinyJob(onCpu, { job, told: want });
    const there = await runTinyJob(onDevice, { job, told: got });
    expect(got.stages).toEqual(want.stages);
    want.values.forEach((values, i) => expectFigures(values, got.values[i]!));
    expectAlike(here.policy.parameters, there.policy.parameters);
    if (here.reward) expectAlike(here.reward.parameters, there.reward!.parameters);
    expect(onDevice.memory!.bytes).toBe(0);
  }

  it(
    'train what the CPU trains: demonstrations, reward model, PPO',
    async () => {
      await expectSameJob({
        ...tinyConfig,
        sft,
        reward: { ...tinyConfig.reward, max_steps: 2 },
        ppo: { ...tinyConfig.ppo, iterations: 2, rollouts_per_iteration: 2, minibatches: 1, ppo_epochs: 1 },
      });
    },
    LONG_MS,
  );

  it(
    'train what the CPU trains: DPO and KTO in micro-batches',
    async () => {
      const { dpo, kto } = tinyOthers;
      const job = { ...tinyOthers, dpo: { ...dpo, max_steps: 2 }, kto: { ...kto, max_steps: 2 } };
      await expectSameJob({ ...job, stages: ['dpo', 'kto'], micro_batch: 2 });
    },
    LONG_MS,
  );

  // The seeds: every group of answers has better and worse ones; no group has, so that nothing is to be learnt.
  it.each([1, 17])('train what the CPU trains: GRPO, seed %i', async (seed) => {
    await expectSameJob({ ...tinyOthers, seed, stages: ['grpo'], grpo: { ...tinyOthers.grpo, iterations: 2 } });
  });

  it.each(['full', 'bottleneck', 'soft-prompt'] as const)('train what the CPU trains: %s', async (form) => {
    await expectSameJob({
      ...sftOnly,
      form,
      activation_checkpointing: form === 'full',
      bottleneck: { width: 4 },
      soft_prompt: { tokens: 3, rate_scale: 3 },
    });
  });

  it('go on from their last save after a kill, wherever', async () => {
    const straight = await runTinyJob(onDevice, { job: sftOnly });
    const store = memoryStore();
    await expect(runTinyJob(onDevice, { job: sftOnly, store, diesAt: 1 })).rejects.toThrow('killed');
    await expect(runTinyJob(onDevice, { job: sftOnly, store, diesAt: 1 })).rejects.toThrow('killed');
    const told = nothingTold();
    const resumed = await runTinyJob(onCpu, { job: sftOnly, store, told });
    expect(told.stages).toHaveLength(1);
    expectAlike(straight.policy.parameters, resumed.policy.parameters);
  });

  it('save what the device has trained when they are stopped in good order', async () => {
    const stop = new AbortController();
    const runtime = countingRuns(interruptible(onCpu.runtime, stop.signal), (run) => run === 3 && stop.abort());
    const store = memoryStore();
    const run = { job: sftOnly, store, signal: stop.signal, saveEveryMs: Infinity };
    await expect(runTinyJob({ ...onDevice, runtime }, run)).rejects.toThrow('cancelled');
    expect(onDevice.memory!.bytes).toBe(0);
    const killed = memoryStore();
    await expect(runTinyJob(onCpu, { job: sftOnly, store: killed, diesAt: 2 })).rejects.toThrow('killed');
    const [want, got] = [(await killed.load())!, (await store.load())!];
    expect(got.json).toMatchObject({ step: 2, optimizerSteps: { 'sft-optimizer': 2 } });
    expect([...got.arrays.keys()].toSorted()).toEqual([...want.arrays.keys()].toSorted());
    for (const [name, values] of want.arrays)
      expect(relativeError(values as Float32Array, got.arrays.get(name) as Float32Array), name).toBeLessThan(1e-4);
  });

  it('leave the weights of the round before when the KL budget is spent', async () => {
    const job = { ...tinyOthers, seed: 1, stages: ['grpo' as const] };
    const warnings: string[] = [];
    const { policy } = await runTinyJob(onDevice, {
      job: { ...job, grpo: { ...job.grpo, learning_rate: 0.05, kl_budget: 0.01 } },
      warn: (message) => warnings.push(message),
    });
    expect(warnings.join()).toContain('the budget is 0.01; it leaves the weights of the round before');
    for (const [name, { data }] of initialPolicy(onCpu, job).parameters)
      expect(policy.parameters.get(name)!.data, name).toEqual(data);
  });

  it('move to the CPU under auto when the device fails its first run, and end as they would have there', async () => {
    const failing = countingRuns(onCpu.runtime, () => {
      throw new Error('out of device memory');
    });
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const model = forOneJob({ ...onCpu, runtime: failing, device: { ...device, wish: 'auto' } }, { warn });
    const { policy } = await runTinyJob(model, { job: sftOnly, warn });
    expect(warnings.join()).toMatch(/Trains on the CPU instead: the webgpu device failed \(out of device memory\)/);
    expect(model.memory!.bytes).toBe(0);
    const { policy: want } = await runTinyJob(onCpu, { job: sftOnly });
    for (const [name, { data }] of want.parameters) expect(policy.parameters.get(name)!.data, name).toEqual(data);
    const named = forOneJob({ ...onCpu, runtime: failing, device }, nobody);
    await expect(runTinyJob(named, { job: sftOnly })).rejects.toThrow('out of device memory');
  });

  /** The runtime, told of every run of a session on the device before it is made. */
  function countingRuns(runtime: Runtime, before: (run: number) => void): Runtime {
    let runs = 0;
    const createSession: Runtime['createSession'] = async (model, options) => {
      const session = await runtime.createSession(model, options);
      if (!options?.device) return session;
      const run = session.run.bind(session);
      session.run = async (inputs, outputs) => {
        before(++runs);
        await run(inputs, outputs);
      };
      return session;
    };
    return Object.assign(Object.create(runtime) as Runtime, { createSession });
  }
});

/** Which of two answers is ahead while policy and reference are one is for rounding to say; times are the machine's. */
const isDecided = (figure: string) => figure !== 'accuracy' && !figure.endsWith('_seconds');

function expectFigures(want: Record<string, number>, got: Record<string, number>): void {
  expect(Object.keys(got)).toEqual(Object.keys(want));
  for (const [name, value] of Object.entries(want)) {
    if (!isDecided(name)) continue;
    expect(Math.abs(got[name]! - value), name).toBeLessThan(TOLERANCE.figures * (1 + Math.abs(value)));
  }
}

function expectAlike(want: ParameterSet, got: ParameterSet): void {
  for (const [name, { data }] of want)
    expect(relativeError(data, got.get(name)!.data), name).toBeLessThan(TOLERANCE.weights);
}
