import { rm } from 'node:fs/promises';
import type { TuningJobConfig } from '@attune/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateStore } from '../jobs/run-state.js';
import type { BaseModel } from '../model/base-model.js';
import { withBaseWeights } from '../model/base-weights.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { memoryStore, runTinyJob, tinyConfig, tinyWords, type Told } from './tiny-job.fixture.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(tinyWords);
});
afterAll(() => rm(model.folder, { recursive: true }));

const overInt8: TuningJobConfig = { ...tinyConfig, base_weights: 'int8' };

const train = async (store: StateStore, told: Told, diesAt = Infinity) =>
  runTinyJob(await withBaseWeights(model, overInt8), {
    store,
    told,
    diesAt,
    job: overInt8,
    signal: new AbortController().signal,
  });

describe('a job over 8-bit weights', () => {
  it('goes through its stages, and PPO begins where 8-bit serving is but for steps that flip', async () => {
    const told: Told = { stages: [], values: [] };
    const { objectives } = await train(memoryStore(), told);
    expect(objectives).toEqual(['sft', 'reward', 'ppo']);
    const iterations = told.values.filter((_, i) => told.stages[i] === 'ppo');
    for (const { first_ratio: ratio } of iterations) expect(Math.abs(ratio! - 1)).toBeLessThan(0.01);
    const losses = told.values.filter((_, i) => told.stages[i] === 'sft').map(({ loss }) => loss!);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  it('ends with the same weights although it was killed', async () => {
    const straight = await train(memoryStore(), { stages: [], values: [] });
    const store = memoryStore();
    await expect(train(store, { stages: [], values: [] }, 7)).rejects.toThrow('killed');
    const resumed = await train(store, { stages: [], values: [] });
    for (const [name, { data: values }] of resumed.policy.parameters)
      expect(values, name).toEqual(straight.policy.parameters.get(name)!.data);
  });
});
