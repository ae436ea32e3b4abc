import { rm } from 'node:fs/promises';
import { loadConfig, systemClock } from '@attune/platform';
import type { Runtime } from '@attune/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BaseModel } from '../model/base-model.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { TuningRun } from './tuning-run.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['ship', 'port', 'sea']);
});
afterAll(() => rm(model.folder, { recursive: true }));

/** A run of one job within so much memory, on a runtime that makes nothing. */
function run(memoryGb: number, config: object) {
  const tooEarly = async () => Promise.reject(new Error('something was made'));
  const runtime = { ...model.runtime, createSession: tooEarly, exactProducts: tooEarly } as unknown as Runtime;
  const settings = loadConfig({ TRAINER_MEMORY_GB: String(memoryGb) });
  const given = {
    models: { get: async () => ({ ...model, runtime }) },
    states: { of: () => ({ load: async () => undefined, save: async () => undefined }) },
    weights: { parentOf: async () => null },
  };
  const none = {} as never;
  const { models, states, weights } = given as never as Record<keyof typeof given, never>;
  const tuning = new TuningRun(settings, systemClock, models, states, weights, none, none, none, none);
  const job = { id: 'job', config, attempt: 1, takenOver: false } as never;
  const journal = { info: () => undefined, warn: () => undefined } as never;
  return tuning.run(job, journal, new AbortController().signal);
}

it('refuses what is too large before weights are rounded and a sampler is made', async () => {
  for (const base_weights of ['fp32', 'int8']) {
    await expect(run(0.01, { base_weights })).rejects.toThrow(/needs about .* TRAINER_MEMORY_GB allows 0.01/);
    await expect(run(0, { base_weights })).rejects.toThrow('something was made');
  }
});
