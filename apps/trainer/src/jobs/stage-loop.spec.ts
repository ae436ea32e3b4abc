import { describe, expect, it } from 'vitest';
import { runStage, type StageHost } from './stage-loop.js';

describe('the stage loop', () => {
  const host = (overrides: Partial<StageHost> = {}): StageHost => ({
    state: { firstStep: () => 0, advance: () => undefined, save: async () => undefined },
    journal: { step: () => undefined, progress: () => undefined, warn: () => undefined, flush: async () => undefined },
    clock: { now: () => new Date(0), monotonicMs: () => 0 },
    signal: new AbortController().signal,
    saveEveryMs: 1,
    ...overrides,
  });

  it('says why it stops a run whose loss became no number', async () => {
    const diverging = runStage(host(), 'sft', 5, async (step) => ({ values: { loss: step === 2 ? NaN : 1 } }));
    await expect(diverging).rejects.toThrow('Training diverged in stage sft at step 2: the loss became NaN');
  });
  it('ends early with a word about it when a step says so', async () => {
    const said: string[] = [];
    const journal = {
      step: () => undefined,
      progress: () => undefined,
      warn: (text: string) => said.push(text),
      flush: async () => undefined,
    };
    let steps = 0;
    await runStage(host({ journal }), 'ppo', 9, async () => ({
      values: {},
      stop: ++steps === 3 ? 'the budget is spent' : undefined,
    }));
    expect(steps).toBe(3);
    expect(said).toEqual(['ppo ended after 3 of 9 steps: the budget is spent']);
  });
  it('has written down every step that a save covers, and trains on while the database is away', async () => {
    const order: string[] = [];
    let clockMs = 0;
    await runStage(
      host({
        clock: { now: () => new Date(0), monotonicMs: () => ++clockMs },
        state: { firstStep: () => 0, advance: () => undefined, save: async () => void order.push('save') },
        journal: {
          step: (_, step) => order.push(`step ${step}`),
          progress: () => undefined,
          warn: () => undefined,
          flush: async () => {
            order.push('flush');
            throw new Error('the database is away');
          },
        },
      }),
      'sft',
      2,
      async () => ({ values: { loss: 1 } }),
    );
    expect(order).toEqual(['step 0', 'flush', 'save', 'step 1', 'flush', 'save', 'flush']);
  });
  it('trains on when a save finds no room, and says that the last one stays', async () => {
    const said: string[] = [];
    let clockMs = 0;
    let saves = 0;
    await runStage(
      host({
        clock: { now: () => new Date(0), monotonicMs: () => ++clockMs },
        state: {
          firstStep: () => 0,
          advance: () => undefined,
          save: async () => {
            if (++saves === 1) throw new Error('the disk is full');
          },
        },
        journal: {
          step: () => undefined,
          progress: () => undefined,
          warn: (text: string) => said.push(text),
          flush: async () => undefined,
        },
      }),
      'sft',
      2,
      async () => ({ values: { loss: 1 } }),
    );
    expect(saves).toBe(2);
    expect(said).toEqual(['The state could not be saved, the last one stays: the disk is full']);
  });
  it('saves no state while the loss is far above where it began', async () => {
    let clockMs = 0;
    const saved: number[] = [];
    let now = 0;
    const running = runStage(
      host({
        clock: { now: () => new Date(0), monotonicMs: () => ++clockMs },
        state: { firstStep: () => 0, advance: () => undefined, save: async () => void saved.push(now) },
      }),
      'sft',
      40,
      async (step) => {
        now = step;
        return { values: { loss: step < 10 ? 1 : 50 } };
      },
    );
    await expect(running).rejects.toThrow('Training diverged');
    expect(saved).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
  it('rests between steps, given how long each took', async () => {
    let clockMs = 0;
    const rests: number[] = [];
    await runStage(
      host({
        clock: { now: () => new Date(0), monotonicMs: () => (clockMs += 10) },
        giveWay: async (stepMs) => void rests.push(stepMs),
        saveEveryMs: Infinity,
      }),
      'sft',
      3,
      async () => ({ values: {} }),
    );
    expect(rests).toEqual([10, 10, 10]);
  });
  it('stops between two steps when it is told to', async () => {
    const run = new AbortController();
    let steps = 0;
    const stopped = runStage(host({ signal: run.signal }), 'sft', 9, async () => {
      if (++steps === 2) run.abort(new Error('cancelled'));
      return { values: {} };
    });
    await expect(stopped).rejects.toThrow('cancelled');
    expect(steps).toBe(2);
  });
});
