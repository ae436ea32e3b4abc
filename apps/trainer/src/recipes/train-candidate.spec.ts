import { rm } from 'node:fs/promises';
import type { TuningJobConfig } from '@attune/contracts';
import type { Runtime } from '@attune/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateStore } from '../jobs/run-state.js';
import type { BaseModel } from '../model/base-model.js';
import { interruptible } from '../model/interruptible.js';
import { tinyModel } from '../model/tiny-model.fixture.js';
import {
  memoryStore,
  runTinyJob,
  tinyConfig as config,
  tinyOthers as others,
  tinyWords,
  type Told,
} from './tiny-job.fixture.js';

const shortGrpo = {
  iterations: 2,
  prompts_per_iteration: 2,
  group_size: 2,
  minibatches: 2,
  max_answer_tokens: 4,
  learning_rate: 5e-3,
  grader: { kind: 'regex' as const, pattern: '[a-m]', flags: '' },
};

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(tinyWords);
});
afterAll(() => rm(model.folder, { recursive: true }));

/** As {@link runTinyJob}, with or without an end before its time. */
const train = (
  store: StateStore,
  told: Told,
  diesAt = Infinity,
  job: TuningJobConfig = config,
  stop: { runtime: Runtime; signal: AbortSignal } = { runtime: model.runtime, signal: new AbortController().signal },
) => runTinyJob({ ...model, runtime: stop.runtime }, { store, told, diesAt, job, signal: stop.signal });

describe('the recipes', () => {
  it('run in their order, and PPO begins where serving is: ratio 1, and the log-probs of the engine are the trainer’s', async () => {
    const told: Told = { stages: [], values: [] };
    const { objectives, policy } = await train(memoryStore(), told);
    expect(objectives).toEqual(['sft', 'reward', 'ppo']);
    expect([...new Set(told.stages)]).toEqual(['sft', 'reward', 'ppo']);
    const iterations = told.values.filter((_, i) => told.stages[i] === 'ppo');
    for (const { log_prob_gap: gap, first_ratio: ratio } of iterations) {
      expect(gap).toBeLessThan(1e-4);
      expect(Math.abs(ratio! - 1)).toBeLessThan(1e-4);
    }
    expect(Math.abs(iterations[0]!.kl!)).toBeLessThan(1e-3);
    expect([...policy.parameters.values()].some(({ data: values }) => values.some((x) => x !== 0))).toBe(true);
  });

  it.each([2, 6, 9])('end with the same weights although they were killed after %i steps', async (diesAt) => {
    const straight = await train(memoryStore(), { stages: [], values: [] });
    const store = memoryStore();
    await expect(train(store, { stages: [], values: [] }, diesAt)).rejects.toThrow('killed');
    const rest: Told = { stages: [], values: [] };
    const resumed = await train(store, rest);
    expect(rest.stages.length).toBeGreaterThan(0);
    for (const part of ['policy', 'reward'] as const) {
      const expected = straight[part]!.parameters;
      for (const [name, { data: values }] of resumed[part]!.parameters)
        expect(values, name).toEqual(expected.get(name)!.data);
    }
  });
});

describe('a price of KL that is steered', () => {
  const steered = { ...config, ppo: { ...config.ppo, kl_target: 0.5 } };

  it('follows the measured distance, also over a kill', async () => {
    const told: Told = { stages: [], values: [] };
    const straight = await train(memoryStore(), told, Infinity, steered);
    const prices = told.values.flatMap(({ kl_coef: price }, i) => (told.stages[i] === 'ppo' ? [price!] : []));
    // The first round starts at the reference, 0 nats away: far below the target, so the price falls.
    expect(prices[0]).toBe(config.ppo.kl_coef);
    expect(prices[1]).toBeLessThan(prices[0]!);
    const store = memoryStore();
    await expect(train(store, { stages: [], values: [] }, told.stages.length - 1, steered)).rejects.toThrow('killed');
    const resumed = await train(store, { stages: [], values: [] }, Infinity, steered);
    for (const [name, { data: values }] of resumed.policy.parameters)
      expect(values, name).toEqual(straight.policy.parameters.get(name)!.data);
  });
});

/** Aborts as its run number `last` begins, or cannot make its session number `missing`; counts the sessions it lends. */
function stoppingAt(last: number, missing = Infinity) {
  const stop = new AbortController();
  const inner = interruptible(model.runtime, stop.signal);
  let runs = 0;
  let made = 0;
  let open = 0;
  const createSession: Runtime['createSession'] = async (graph, options) => {
    if (++made === missing) throw new Error('no memory is left');
    const session = await inner.createSession(graph, options);
    open++;
    const release = session.release.bind(session);
    session.release = () => {
      open--;
      release();
    };
    const run = session.run.bind(session);
    session.run = (inputs, outputs) => {
      if (++runs === last) stop.abort();
      return run(inputs, outputs);
    };
    return session;
  };
  const runtime = Object.assign(Object.create(model.runtime) as Runtime, { createSession });
  return { signal: stop.signal, runtime, open: () => open };
}

describe('a run that is stopped', () => {
  // In SFT, the reward model, between PPO's updates (four to an iteration, behind four scoring passes), and in GRPO's.
  const job = { ...config, stages: [...config.stages, 'grpo' as const], grpo: { ...config.grpo, ...shortGrpo } };

  it.each([2, 7, 12, 14, 16, 18, 20, 23, 26, 33, 36])(
    'in the middle of graph run %i leaves no session, and goes on to the same weights',
    async (last) => {
      const straight = await train(memoryStore(), { stages: [], values: [] }, Infinity, job);
      const store = memoryStore();
      const stop = stoppingAt(last);
      const stopped = train(store, { stages: [], values: [] }, Infinity, job, stop);
      await expect(stopped).rejects.toThrow('cancelled');
      expect(stop.open()).toBe(0);
      const resumed = await train(store, { stages: [], values: [] }, Infinity, job);
      for (const [name, { data: values }] of resumed.policy.parameters)
        expect(values, name).toEqual(straight.policy.parameters.get(name)!.data);
    },
  );
});

describe('methods without a reward model', () => {
  it('run one after the other, each from where the one before left the policy', async () => {
    const told: Told = { stages: [], values: [] };
    const { objectives, reward } = await train(memoryStore(), told, Infinity, others);
    expect(objectives).toEqual(['dpo', 'kto', 'grpo']);
    expect(reward).toBeNull();
    const of = (stage: string) => told.values.filter((_, i) => told.stages[i] === stage);
    // Policy and reference are one at the first step: DPO's margin is 0 and its loss log 2.
    const first = of('dpo')[0]!;
    expect(first.loss! - first.supervised!).toBeCloseTo(Math.log(2), 5);
    expect(of('dpo').findLast(({ loss }) => loss !== undefined)!.loss).toBeLessThan(first.loss!);
    expect(of('kto')[0]!.reference_point).toBeCloseTo(0, 3);
    expect(Math.abs(of('grpo')[0]!.kl!)).toBeLessThan(1e-3);
    for (const { first_ratio: ratio } of of('grpo')) expect(Math.abs(ratio! - 1)).toBeLessThan(1e-4);
  });

  it.each([3, 7, 10])('end with the same weights although they were killed after %i steps', async (diesAt) => {
    const straight = await train(memoryStore(), { stages: [], values: [] }, Infinity, others);
    const store = memoryStore();
    await expect(train(store, { stages: [], values: [] }, diesAt, others)).rejects.toThrow('killed');
    const resumed = await train(store, { stages: [], values: [] }, Infinity, others);
    for (const [name, { data: values }] of resumed.policy.parameters)
      expect(values, name).toEqual(straight.policy.parameters.get(name)!.data);
  });

  it.each(['ipo', 'cdpo'] as const)('know the neighbours of DPO: %s', async (loss) => {
    const told: Told = { stages: [], values: [] };
    const job = { ...others, stages: ['dpo' as const], dpo: { ...others.dpo, loss } };
    await train(memoryStore(), told, Infinity, job);
    const accuracies = told.values.flatMap(({ accuracy }) => (accuracy === undefined ? [] : [accuracy]));
    expect(accuracies.at(-1)).toBeGreaterThan(accuracies[0]!);
  });

  it.each(['dpo', 'kto'] as const)('measure what a single step did to the answers: %s', async (stage) => {
    const driftOf = async (learningRate: number) => {
      const told: Told = { stages: [], values: [] };
      const job = {
        ...others,
        stages: [stage],
        [stage]: { ...others[stage], max_steps: 1, learning_rate: learningRate, kl_budget: 1e6 },
      };
      await train(memoryStore(), told, Infinity, job);
      expect(told.stages).toEqual([stage, stage]);
      expect(told.values[0]!.kl).toBeUndefined();
      return told.values[1]!.kl!;
    };
    expect(Math.abs(await driftOf(1e-9))).toBeLessThan(1e-3);
    expect(await driftOf(0.3)).toBeGreaterThan(0.01);
  });

  it('accumulate micro-batches to the gradient of the whole batch', async () => {
    const whole = await train(memoryStore(), { stages: [], values: [] }, Infinity, { ...others, stages: ['dpo'] });
    const parts = await train(memoryStore(), { stages: [], values: [] }, Infinity, {
      ...others,
      stages: ['dpo'],
      micro_batch: 2,
    });
    for (const [name, { data: values }] of parts.policy.parameters) {
      const expected = whole.policy.parameters.get(name)!.data;
      values.forEach((value, i) => expect(Math.abs(value - expected[i]!), name).toBeLessThan(2e-4));
    }
  });
});

describe('sessions', () => {
  const ofStage = (stage: 'dpo' | 'kto') => ({ ...others, stages: [stage] });

  it.each(['dpo', 'kto'] as const)('are released when the reference is stopped while it reads: %s', async (stage) => {
    const stop = stoppingAt(1);
    const stopped = train(memoryStore(), { stages: [], values: [] }, Infinity, ofStage(stage), stop);
    await expect(stopped).rejects.toThrow('cancelled');
    expect(stop.open()).toBe(0);
  });

  // Behind the four steps: the pairs that say where scores lie, then the held-out ones.
  it.each([5, 6])('are released when the reward model is stopped in the middle of its scores: run %i', async (last) => {
    const stop = stoppingAt(last);
    const job = { ...config, stages: ['reward' as const] };
    await expect(train(memoryStore(), { stages: [], values: [] }, Infinity, job, stop)).rejects.toThrow('cancelled');
    expect(stop.open()).toBe(0);
  });

  it.each(['dpo', 'kto'] as const)('are released when none can be made for the steps: %s', async (stage) => {
    const stop = stoppingAt(Infinity, 2);
    const failed = train(memoryStore(), { stages: [], values: [] }, Infinity, ofStage(stage), stop);
    await expect(failed).rejects.toThrow('no memory is left');
    expect(stop.open()).toBe(0);
  });
});

describe('forms', () => {
  it.each(['full', 'bottleneck', 'soft-prompt'] as const)(
    'go through SFT, reward model and PPO alike, with the ratio 1 at first: %s',
    async (form) => {
      const told: Told = { stages: [], values: [] };
      const job = { ...config, form, soft_prompt: { tokens: 3, rate_scale: 1 }, bottleneck: { width: 4 } };
      const { objectives, reward } = await train(memoryStore(), told, Infinity, job);
      expect(objectives).toEqual(['sft', 'reward', 'ppo']);
      expect(reward!.form.kind).toBe(form === 'soft-prompt' ? 'lora' : form);
      const iterations = told.values.filter((_, i) => told.stages[i] === 'ppo');
      for (const { first_ratio: ratio } of iterations) expect(Math.abs(ratio! - 1)).toBeLessThan(1e-4);
      const losses = told.values.filter((_, i) => told.stages[i] === 'sft').map(({ loss }) => loss!);
      expect(losses.at(-1)).toBeLessThan(losses[0]!);
    },
  );

  it('of reward models: every token and runs of tokens over a frozen body, which PPO then learns from', async () => {
    const told: Told = { stages: [], values: [] };
    const ownReward = { ...config.reward, pooling: 'sum', ngrams: 2, body: 'frozen', epochs: 8 } as const;
    const { reward, objectives } = await train(memoryStore(), told, Infinity, { ...config, reward: ownReward });
    expect(objectives).toEqual(['sft', 'reward', 'ppo']);
    expect([...reward!.parameters.keys()]).toEqual(expect.arrayContaining(['reward_head.ngrams']));
    expect(reward!.parameters.has('reward_head.weight')).toBe(false);
    const rewards = told.values.filter((_, i) => told.stages[i] === 'reward');
    expect(rewards.at(-1)!.loss).toBeLessThan(rewards[0]!.loss!);
    expect(reward!.accuracy).toBe(1);
  });

  it('never write into the base weights', async () => {
    const before = [...model.parameters].map(([name, { data: values }]) => [name, values.slice()] as const);
    for (const form of ['full', 'lora', 'bottleneck', 'soft-prompt'] as const)
      await train(memoryStore(), { stages: [], values: [] }, Infinity, { ...config, form, stages: ['sft'] });
    for (const [name, values] of before) expect(model.parameters.get(name)!.data, name).toEqual(values);
  });
});
