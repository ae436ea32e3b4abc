import { rm } from 'node:fs/promises';
import type { TuningJobConfig } from '@attune/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateStore } from '../jobs/run-state.js';
import type { BaseModel } from '../model/base-model.js';
import { withBaseWeights } from '../model/base-weights.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import {
  memoryStore,
  nothingTold,
  runTinyJob,
  tinyConfig,
  tinyOthers,
  tinyWords,
  type Told,
} from './tiny-job.fixture.js';

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

const valuesOf = ({ stages, values }: Told, stage: string) => values.filter((_, i) => stages[i] === stage);

/** Of a token's log-probs, when it was sampled and read again. */
const largestGap = (told: Told) => Math.max(...valuesOf(told, 'ppo').map(({ log_prob_gap: gap }) => gap!));

describe('a job over 8-bit weights', () => {
  it('goes through its stages, and PPO reads answers as 8-bit serving wrote them, but for steps that flip', async () => {
    const told = nothingTold();
    const { objectives } = await train(memoryStore(), told);
    expect(objectives).toEqual(['sft', 'reward', 'ppo']);
    const losses = valuesOf(told, 'sft').map(({ loss }) => loss!);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    for (const { first_ratio: ratio } of valuesOf(told, 'ppo')) expect(Math.abs(ratio! - 1)).toBeLessThan(0.01);
    const byFp32 = nothingTold();
    await runTinyJob(await withBaseWeights(model, overInt8), { told: byFp32, job: overInt8, sampled: model });
    expect(largestGap(told)).toBeLessThan(largestGap(byFp32) / 3);
  });

  it('has a reference over the same weights: DPO’s first loss is that of a policy that is its reference', async () => {
    const dpo = { ...tinyOthers.dpo, sft_coef: 0, replay_coef: 0 };
    const job: TuningJobConfig = { ...tinyOthers, stages: ['dpo'], dpo, base_weights: 'int8' };
    const told = nothingTold();
    await runTinyJob(await withBaseWeights(model, job), { told, job });
    expect(valuesOf(told, 'dpo')[0]!['loss']).toBeCloseTo(Math.LN2, 5);
  });

  it('ends with the same weights although it was killed', async () => {
    const straight = await train(memoryStore(), nothingTold());
    const store = memoryStore();
    await expect(train(store, nothingTold(), 7)).rejects.toThrow('killed');
    const resumed = await train(store, nothingTold());
    for (const [name, { data: values }] of resumed.policy.parameters)
      expect(values, name).toEqual(straight.policy.parameters.get(name)!.data);
  });
});
