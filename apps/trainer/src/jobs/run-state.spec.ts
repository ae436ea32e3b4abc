import type { TrainingState } from '@attune/checkpoint';
import { AdamW, parameter, type ParameterSet } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { type RunCursor, RunState, type StateStore } from './run-state.js';
import { runStage, type StageHost } from './stage-loop.js';

/** Keeps the last save as a disk would: by value. */
function memoryStore(): StateStore & { saves: number } {
  let kept: TrainingState<RunCursor> | undefined;
  return {
    saves: 0,
    async save({ arrays, json }) {
      kept = structuredClone({ arrays: new Map(arrays), json });
      this.saves++;
    },
    load: async () => structuredClone(kept),
  };
}

const weights = (): ParameterSet => new Map([['w', parameter([3], Float32Array.of(1, 2, 3))]]);

/** Trains towards zero; each step's gradient hangs on the weights, so any lost bit of state shows. */
async function train(store: StateStore, options: { diesAt?: number } = {}): Promise<Float32Array> {
  const state = await RunState.open(store, async () => 'ckpt_parent', 'base');
  const policy = state.track('policy', weights());
  const optimizer = state.trackOptimizer('adam', new AdamW({ weightDecay: 0 }));
  const host: StageHost = {
    state,
    journal: { step: () => undefined, progress: () => undefined, warn: () => undefined, flush: async () => undefined },
    clock: { now: () => new Date(0), monotonicMs: () => ++clockMs },
    signal: new AbortController().signal,
    saveEveryMs: 2,
  };
  let clockMs = 0;
  const { shape, data: value } = policy.get('w')!;
  await runStage(host, 'sft', 10, async (step) => {
    if (step === options.diesAt) throw new Error('killed');
    const gradient = value.map((x, i) => x * 2 + Math.sin(step + i));
    optimizer.update([{ name: 'w', shape, value, gradient }], 1, 0.1);
    return { values: { loss: 1 } };
  });
  await state.finish('sft');
  return value;
}

describe('run state', () => {
  it.each([1, 4, 5, 9])('goes on bit for bit after a kill at step %i', async (diesAt) => {
    const straight = await train(memoryStore());
    const store = memoryStore();
    await expect(train(store, { diesAt })).rejects.toThrow('killed');
    expect(await train(store)).toEqual(straight);
  });
  it('goes on from its last save, not from zero', async () => {
    const store = memoryStore();
    await expect(train(store, { diesAt: 8 })).rejects.toThrow('killed');
    const state = await RunState.open(store, async () => 'another parent', 'base');
    expect(state.resumed).toBe(true);
    expect(state.firstStep('sft')).toBeGreaterThanOrEqual(6);
    expect(state.cursor.parentId).toBe('ckpt_parent');
  });
  it('keeps id, parent and figures through all attempts', async () => {
    const store = memoryStore();
    const first = await RunState.open(store, async () => null, 'base');
    first.advance('sft', 3, { accuracy: 0.75 });
    await first.finish('sft');
    const second = await RunState.open(store, async () => 'ckpt_later', 'base');
    expect(second.cursor.checkpointId).toBe(first.cursor.checkpointId);
    expect(second.cursor.parentId).toBeNull();
    expect(second.cursor.figures).toEqual({ accuracy: 0.75 });
    expect(second.isFinished('sft')).toBe(true);
    expect(second.isFinished('ppo')).toBe(false);
    expect(second.firstStep('ppo')).toBe(0);
  });
  it('asks for what lies elsewhere before every save, until it no longer does', async () => {
    const store = memoryStore();
    const state = await RunState.open(store, async () => null, 'base');
    const policy = state.track('policy', weights());
    let there = 5;
    const forget = state.beforeSaves(async () => void policy.get('w')!.data.fill(there));
    await state.save();
    expect((await store.load())!.arrays.get('policy/w')).toEqual(Float32Array.of(5, 5, 5));
    forget();
    there = 6;
    await state.save();
    expect((await store.load())!.arrays.get('policy/w')).toEqual(Float32Array.of(5, 5, 5));
  });
  it('keeps the save before when that cannot be had', async () => {
    const store = memoryStore();
    const state = await RunState.open(store, async () => null, 'base');
    await state.save();
    state.beforeSaves(() => Promise.reject(new Error('the device is gone')));
    await expect(state.saveWhenWhole()).rejects.toThrow('the device is gone');
    expect(store.saves).toBe(1);
  });
  it('does not go on upon other base weights', async () => {
    const store = memoryStore();
    await train(store);
    await expect(RunState.open(store, async () => null, 'another base')).rejects.toThrow('other base weights');
  });
  it('does not go on with values that do not fit', async () => {
    const store = memoryStore();
    await train(store);
    const state = await RunState.open(store, async () => null, 'base');
    const wider: ParameterSet = new Map([['w', parameter([4], new Float32Array(4))]]);
    expect(() => state.track('policy', wider)).toThrow('holds 3 numbers of policy/w, its shape asks for 4');
  });
  it('drops the optimizer of a stage that is over', async () => {
    const store = memoryStore();
    await train(store);
    const kept = (await store.load())!;
    expect([...kept.arrays.keys()]).toEqual(['policy/w']);
    expect(kept.json.optimizerSteps).toEqual({});
  });
  it('keeps what a stage alone needs as long as that stage runs', async () => {
    const store = memoryStore();
    const first = await RunState.open(store, async () => null, 'base');
    first.track('policy', weights());
    first.trackDuring('dpo', 'dpo-reference', new Map([['w', parameter([3], Float32Array.of(7, 8, 9))]]));
    first.advance('dpo', 1);
    await first.save();
    const resumed = await RunState.open(store, async () => null, 'base');
    resumed.track('policy', weights());
    const reference = resumed.trackDuring('dpo', 'dpo-reference', weights());
    expect(reference.get('w')!.data).toEqual(Float32Array.of(7, 8, 9));
    await resumed.finish('dpo');
    expect([...(await store.load())!.arrays.keys()]).toEqual(['policy/w']);
  });
  it('saves where a run was stopped, but not between two updates of one step: the save before stays', async () => {
    const store = memoryStore();
    const state = await RunState.open(store, async () => null, 'base');
    const { data } = state.track('policy', weights()).get('w')!;
    state.advance('ppo', 1);
    await state.saveWhenWhole();
    state.advance('ppo', 2);
    const stopped = state.change(async () => {
      data.fill(0);
      throw new Error('stopped');
    });
    await expect(stopped).rejects.toThrow('stopped');
    await state.saveWhenWhole();
    const resumed = await RunState.open(store, async () => null, 'base');
    expect(resumed.firstStep('ppo')).toBe(1);
    expect(resumed.track('policy', weights()).get('w')!.data).toEqual(Float32Array.of(1, 2, 3));
  });
  it('leaves parameters alone that no save holds', async () => {
    const store = memoryStore();
    await train(store);
    const state = await RunState.open(store, async () => null, 'base');
    expect(state.track('reward', weights()).get('w')!.data).toEqual(Float32Array.of(1, 2, 3));
  });
});
