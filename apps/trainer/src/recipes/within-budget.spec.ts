import { rm } from 'node:fs/promises';
import { tuningJobConfig } from '@attune/contracts';
import { copyParameters } from '@attune/training';
import { systemClock } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetSide } from '../curation/dataset.js';
import { RunState } from '../jobs/run-state.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import { trainGrpo } from './grpo.recipe.js';
import type { RecipeContext } from './recipe-context.js';
import { initialPolicy } from './starting-policy.js';
import { nothingTold, runTinyJob, tinyConfig } from './tiny-job.fixture.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['over', 'and', 'out']);
});
afterAll(() => rm(model.folder, { recursive: true }));

const side = { prompts: [[{ role: 'user', content: 'Say out.' }]], graded: [] } as unknown as DatasetSide;

async function train(klBudget: number) {
  const config = tuningJobConfig.parse({
    stages: ['grpo'],
    lora: { rank: 2 },
    grpo: {
      iterations: 4,
      prompts_per_iteration: 2,
      group_size: 4,
      max_answer_tokens: 6,
      learning_rate: 0.05,
      kl_budget: klBudget,
      grader: { kind: 'regex', pattern: '[a-m]' },
    },
  });
  const policy = initialPolicy(model, config);
  const before = copyParameters(policy.parameters);
  const told = { rounds: 0, warnings: [] as string[] };
  const journal = {
    step: () => told.rounds++,
    warn: (message: string) => told.warnings.push(message),
    progress: () => undefined,
    info: () => undefined,
    flush: async () => undefined,
  };
  const nowhere = { save: async () => undefined, load: async () => undefined };
  const context = {
    model,
    config,
    journal,
    state: await RunState.open(nowhere, async () => null, 'base'),
    clock: systemClock,
    signal: new AbortController().signal,
    saveEveryMs: Infinity,
  } as unknown as RecipeContext;
  const engine = await loadEngine(model, 64);
  await trainGrpo(context, engine, policy, side).finally(() => engine.close());
  const moved = [...policy.parameters].some(([name, { data }]) => data.some((x, i) => x !== before.get(name)!.data[i]));
  return { ...told, moved };
}

describe('a stage that spends its KL budget', () => {
  it('ends with the weights of the last round within it, not with those that were beyond', async () => {
    const { rounds, warnings, moved } = await train(0.01);
    // The first round samples from the reference itself; the second finds what one update at such a rate has done.
    expect(rounds).toBe(2);
    expect(warnings.join()).toMatch(/the budget is 0.01; it leaves the weights of the round before/);
    expect(moved).toBe(false);
  });

  it('says of the round that ends it how long its parts took, in PPO as well', async () => {
    const ppo = { ...tinyConfig.ppo, learning_rate: 0.05, kl_budget: 0.01 };
    const told = nothingTold();
    await runTinyJob(model, { job: { ...tinyConfig, ppo }, told, warn: () => undefined });
    const rounds = told.values.filter((_, i) => told.stages[i] === 'ppo');
    expect(rounds.length).toBeLessThan(ppo.iterations);
    expect(Object.keys(rounds.at(-1)!)).toEqual(expect.arrayContaining(['sampling_seconds', 'scoring_seconds']));
  });

  it('goes through all of its rounds where the budget allows', async () => {
    const { rounds, warnings, moved } = await train(1e9);
    expect({ rounds, warnings, moved }).toEqual({ rounds: 4, warnings: [], moved: true });
  });
});
