import { collect, type Engine, type GenerateRequest } from '@attune/engine';
import { describe, expect, it } from 'vitest';
import { randomModel, tinyConfig } from './tiny-models.js';
import { randomPrompt, useEngines } from './use-engines.js';

const load = useEngines({ model: randomModel(1, { ...tinyConfig, max_position_embeddings: 1024 }) });

const request = (id: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id,
  promptIds: randomPrompt(Number(id.replaceAll(/\D/g, '')) + 1, 8),
  maxTokens: 8,
  sampling: { temperature: 0 },
  ...more,
});

/** Runs requests sent together; tells in which order they started, ended, and how. */
async function run(engine: Engine, requests: readonly GenerateRequest[]) {
  const started: string[] = [];
  const answers = await Promise.all(
    requests.map(async (each) => {
      async function* watched() {
        for await (const event of engine.generate(each)) {
          if (event.type === 'started') started.push(each.id);
          yield event;
        }
      }
      return collect(watched());
    }),
  );
  return { started, answers };
}

describe('admission', () => {
  it('starts higher priorities first, then users in turn', async () => {
    const engine = await load({ slots: 1 });
    const { started } = await run(engine, [
      request('a0', { user: 'a' }),
      request('a1', { user: 'a' }),
      request('a2', { user: 'a' }),
      request('b3', { user: 'b' }),
      request('c4', { user: 'c', priority: 5 }),
    ]);
    expect(started).toEqual(['c4', 'a0', 'b3', 'a1', 'a2']);
  });

  it('starts another key at once although a flood has every slot it may have', async () => {
    const engine = await load({ slots: 4 });
    await collect(engine.generate(request('b0', { user: 'b' })));
    const flood = run(
      engine,
      Array.from({ length: 20 }, (_, i) => request(`a${i}`, { user: 'a', maxTokens: 60 })),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    const before = await engine.stats();
    expect(before).toMatchObject({ running: 3 });
    const { finished } = await collect(engine.generate(request('b1', { user: 'b' })));
    expect(finished.reason).toBe('length');
    expect((await engine.stats()).waiting).toBeGreaterThan(5);
    await flood;
  });

  it('refuses what comes when the queue is full, and what waited too long, each by its name', async () => {
    const engine = await load({ slots: 1, queueLimit: 3 });
    const { answers } = await run(engine, [
      request('a0', { maxTokens: 200 }),
      request('a1', { startWithinMs: 1 }),
      request('a2'),
      request('a3'),
    ]);
    expect(answers.map(({ finished }) => [finished.reason, finished.rejection])).toEqual([
      ['length', undefined],
      ['rejected', 'late'],
      ['length', undefined],
      ['rejected', 'overloaded'],
    ]);
    expect(answers[1]!.finished.error).toMatch(/waited for 1 ms/);
    expect(answers[3]!.finished.error).toMatch(/3 requests already wait/);
    const invalid = await collect(engine.generate(request('a4', { promptIds: [] })));
    expect(invalid.finished.rejection).toBe('invalid');
  });

  it('gives the slot of a cancelled request to the next within a step', async () => {
    const engine = await load({ slots: 1 });
    const abort = new AbortController();
    const waiting: Promise<unknown>[] = [];
    let stepsAtAbort = 0;
    for await (const event of engine.generate(request('a0', { maxTokens: 500 }), { signal: abort.signal })) {
      if (event.type !== 'token' || waiting.length > 0) continue;
      waiting.push(collect(engine.generate(request('a1', { maxTokens: 1 }))));
      stepsAtAbort = (await engine.stats()).steps;
      abort.abort();
    }
    await waiting[0];
    expect((await engine.stats()).steps - stepsAtAbort).toBeLessThanOrEqual(2);
  });
});

describe('prompts', () => {
  it('of many answers to one question are read once', async () => {
    const engine = await load({ slots: 8, tokenBudget: 64 });
    const promptIds = randomPrompt(7, 400);
    const same = Array.from({ length: 8 }, (_, i) =>
      request(`a${i}`, { promptIds, sampling: { temperature: 1, seed: i } }),
    );
    const { answers } = await run(engine, same);
    expect(answers.map(({ finished }) => finished.cachedTokens)).toEqual([0, ...Array(7).fill(399)]);
    const alone = await load({ slots: 1 });
    for (const [i, each] of same.entries())
      expect((await collect(alone.generate({ ...each, id: `x${i}` }))).tokens).toEqual(answers[i]!.tokens);
    expect(new Set(answers.map(({ tokens }) => tokens.join())).size).toBeGreaterThan(4);
  });

  it('that begin alike share the beginning, whoever asks', async () => {
    const engine = await load({ slots: 4, tokenBudget: 64 });
    const passage = randomPrompt(7, 200);
    const { answers } = await run(
      engine,
      ['a', 'b', 'c'].map((user, i) =>
        request(`${user}${i}`, { user, promptIds: [...passage, ...randomPrompt(i, 30)] }),
      ),
    );
    expect(answers.map(({ finished }) => finished.cachedTokens)).toEqual([0, 200, 200]);
  });

  it('are not waited for in vain: when the first is cancelled, the next reads it', async () => {
    const engine = await load({ slots: 4, tokenBudget: 20 });
    const promptIds = randomPrompt(7, 600);
    const abort = new AbortController();
    const first = collect(engine.generate(request('a0', { promptIds }), { signal: abort.signal }));
    const second = collect(engine.generate(request('a1', { promptIds })));
    await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect((await first).finished.reason).toBe('cancelled');
    const { finished } = await second;
    expect(finished.reason).toBe('length');
    expect(finished.cachedTokens).toBeLessThan(599);
  });

  it('of a key that was served little are read before a flood of long ones', async () => {
    const engine = await load({ slots: 4, tokenBudget: 32 });
    const flood = Array.from({ length: 3 }, (_, i) => request(`a${i}`, { user: 'a', promptIds: randomPrompt(i, 900) }));
    const all = run(engine, [...flood, request('b9', { user: 'b', maxTokens: 1 })]);
    const { answers } = await all;
    const [a, b] = [answers[0]!, answers[3]!];
    expect(b.finished.timings.prefillMs).toBeLessThan(a.finished.timings.prefillMs);
    expect(b.finished.timings.queuedMs).toBeLessThan(a.finished.timings.prefillMs);
  });
});

describe('the prefix cache under pressure', () => {
  it('keeps a long conversation while short prompts come and go', async () => {
    const engine = await load({ slots: 2 });
    const long = request('a0', { promptIds: randomPrompt(5, 500) });
    const { tokens } = await collect(engine.generate(long));
    for (let i = 1; i <= 10; i++) await collect(engine.generate(request(`b${i}`)));
    const next = request('a99', { promptIds: [...long.promptIds, ...tokens, 1, 2, 3] });
    expect((await collect(engine.generate(next))).finished.cachedTokens).toBeGreaterThan(500);
  });

  it('counts what it saved', async () => {
    const engine = await load({ slots: 2 });
    const promptIds = randomPrompt(5, 100);
    await collect(engine.generate(request('a0', { promptIds })));
    await collect(engine.generate(request('a1', { promptIds })));
    expect(await engine.stats()).toMatchObject({ promptTokens: 200, cachedTokens: 99 });
  });
});
