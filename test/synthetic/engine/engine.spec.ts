import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeAdapter } from '@attune/checkpoint';
import { collect, type EngineEvent, type GenerateRequest } from '@attune/engine';
import { createRandom } from '@attune/platform';
import { describe, expect, it, vi } from 'vitest';
import { AdapterReader } from '../../../libs/engine/src/reading/adapter-reader.js';
import { countingModel, mergedModel, randomAdapter, randomModel } from './tiny-models.js';
import { randomPrompt, useEngines } from './use-engines.js';

const load = useEngines();

const greedy = (id: string, promptIds: readonly number[], more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id,
  promptIds,
  maxTokens: 24,
  sampling: { temperature: 0 },
  ...more,
});

describe('the engine', () => {
  it('gives the tokens the model is known to give', async () => {
    const engine = await load({ model: countingModel(3) });
    const { tokens, finished, started } = await collect(engine.generate(greedy('a', [5], { maxTokens: 6 })));
    expect(tokens).toEqual([8, 11, 14, 17, 20, 23]);
    expect(finished).toMatchObject({ reason: 'length', promptTokens: 1, completionTokens: 6 });
    expect(started!.weights).toMatchObject({ base: 'counting-3', adapter: null });
  });

  it('ends at a stop token, which is not part of the answer', async () => {
    const engine = await load({ model: countingModel(1) });
    const request = greedy('a', [5], { maxTokens: 20, stopIds: [9], logProbs: true });
    const { tokens, finished } = await collect(engine.generate(request));
    expect(tokens).toEqual([6, 7, 8]);
    expect(finished.reason).toBe('stop');
    expect(finished.stopToken!.token).toBe(9);
    expect(finished.stopToken!.logProb).toBeLessThan(0);
  });

  it('gives the same tokens alone or among others, greedy and sampled', async () => {
    const requests = Array.from({ length: 10 }, (_, i) =>
      greedy(`r${i}`, randomPrompt(i, 3 + 7 * i), {
        user: `user${i % 3}`,
        sampling: i % 2 ? { temperature: 0.9, topK: 20, topP: 0.95, seed: 100 + i } : { temperature: 0 },
      }),
    );
    const single = await load({ slots: 1 });
    const alone = [];
    for (const request of requests) alone.push((await collect(single.generate(request))).tokens);
    const shared = await load({ slots: 4, tokenBudget: 24 });
    const together = await Promise.all(requests.map((request) => collect(shared.generate(request))));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
    expect(new Set(alone.map(String)).size).toBe(10);
  });

  it('gives the same tokens however the prompt is cut into chunks', async () => {
    const request = greedy('a', randomPrompt(9, 150), { logProbs: true });
    const results = [];
    for (const tokenBudget of [20, 37, 256]) {
      const engine = await load({ slots: 1, tokenBudget });
      results.push(await collect(engine.generate(request)));
    }
    const [first, ...others] = results;
    for (const { tokens, logProbs } of others) {
      expect(tokens).toEqual(first!.tokens);
      logProbs.forEach((logProb, i) => expect(logProb).toBeCloseTo(first!.logProbs[i]!, 4));
    }
  });

  it('reports log-probs of the unmodified distribution, whatever the sampler does', async () => {
    const engine = await load();
    const request = greedy('a', randomPrompt(3, 5), {
      maxTokens: 1,
      logProbs: true,
      topLogProbs: 64,
      sampling: { temperature: 0.3, topK: 2, seed: 1, logitBias: { 7: 100 } },
    });
    const tokens: Extract<EngineEvent, { type: 'token' }>[] = [];
    for await (const event of engine.generate(request)) if (event.type === 'token') tokens.push(event);
    const { token, logProb, top } = tokens[0]!;
    expect(token).toBe(7);
    expect(top!.reduce((sum, { logProb: each }) => sum + Math.exp(each), 0)).toBeCloseTo(1, 5);
    expect(top!.find((each) => each.token === 7)!.logProb).toBe(logProb);
    expect(top!.map((each) => each.logProb)).toEqual(top!.map((each) => each.logProb).toSorted((a, b) => b - a));
  });

  it('ends a request at the next step when its signal aborts, and the others go on', async () => {
    const engine = await load();
    const other = collect(engine.generate(greedy('b', randomPrompt(2, 4), { maxTokens: 60 })));
    const abort = new AbortController();
    let tokens = 0;
    let reason = '';
    for await (const event of engine.generate(greedy('a', randomPrompt(1, 4), { maxTokens: 200 }), {
      signal: abort.signal,
    })) {
      if (event.type === 'token' && ++tokens === 5) abort.abort();
      if (event.type === 'finished') reason = event.reason;
    }
    expect(reason).toBe('cancelled');
    expect(tokens).toBeLessThan(12);
    expect((await other).tokens.length).toBe(60);
  });

  it('cancels a request whose reader leaves, and gives its slot to the next', async () => {
    const engine = await load({ slots: 1 });
    for await (const event of engine.generate(greedy('a', randomPrompt(1, 4), { maxTokens: 250 })))
      if (event.type === 'token') break;
    const { finished } = await collect(engine.generate(greedy('b', randomPrompt(2, 4), { maxTokens: 3 })));
    expect(finished.reason).toBe('length');
    expect((await engine.stats()).completionTokens).toBeLessThan(20);
  });

  it('rejects what could never run, with the reason', async () => {
    const engine = await load({ maxSeq: 32 });
    const reasonOf = async (more: Partial<GenerateRequest>) =>
      (await collect(engine.generate(greedy('a', [1, 2], more)))).finished;
    expect(await reasonOf({ maxTokens: 31 })).toMatchObject({ reason: 'rejected', error: /room for 32/ });
    expect(await reasonOf({ promptIds: [] })).toMatchObject({ reason: 'rejected', error: /at least one/ });
    expect(await reasonOf({ promptIds: [64] })).toMatchObject({ reason: 'rejected', error: /64 tokens/ });
    expect(await reasonOf({ adapter: 'none' })).toMatchObject({ reason: 'rejected', error: /not loaded/ });
  });

  it('ends everything when it closes', async () => {
    const engine = await load({ slots: 1 });
    const all = Promise.all(
      [1, 2, 3].map((i) => collect(engine.generate(greedy(`${i}`, randomPrompt(i, 4), { maxTokens: 200 })))),
    );
    await engine.close();
    expect((await all).map(({ finished }) => finished.reason)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(() => engine.generate(greedy('x', [1]))).toThrow(/closed/);
  });
});

describe('the prefix cache', () => {
  it('reuses what the same weights computed for the same beginning, with the same tokens as without', async () => {
    const beginning = randomPrompt(1, 40);
    const first = greedy('a', [...beginning, ...randomPrompt(2, 5)]);
    const fresh = await load({ slots: 2 });
    const engine = await load({ slots: 2 });
    const answer = await collect(engine.generate(first));
    const turn = greedy('b', [...first.promptIds, ...answer.tokens, 3, 4]);
    const reused = await collect(engine.generate(turn));
    expect(reused.finished.cachedTokens).toBe(first.promptIds.length + answer.tokens.length - 1);
    expect(reused.tokens).toEqual((await collect(fresh.generate(turn))).tokens);
    const branch = greedy('c', [...beginning, 9, 9]);
    const copied = await collect(engine.generate(branch));
    expect(copied.finished.cachedTokens).toBe(40);
    expect(copied.tokens).toEqual((await collect(fresh.generate(branch))).tokens);
  });

  it('never reuses what other weights computed', async () => {
    const adapter = randomAdapter(5);
    const engine = await load();
    await engine.loadAdapter(adapter);
    const request = greedy('a', randomPrompt(1, 40));
    await collect(engine.generate(request));
    const adapted = await collect(engine.generate({ ...request, adapter: adapter.digest }));
    expect(adapted.finished.cachedTokens).toBe(0);
    const again = await collect(engine.generate({ ...request, adapter: adapter.digest }));
    expect(again.finished.cachedTokens).toBe(39);
    expect(again.tokens).toEqual(adapted.tokens);
  });
});

describe('adapters', () => {
  it('compute what merged weights compute', async () => {
    const [model, adapter] = [randomModel(1), randomAdapter(5)];
    const merged = await load({ model: mergedModel(model, adapter) });
    const engine = await load({ model });
    await engine.loadAdapter(adapter);
    const request = greedy('a', randomPrompt(4, 20), { logProbs: true });
    const want = await collect(merged.generate(request));
    const got = await collect(engine.generate({ ...request, adapter: adapter.digest }));
    expect(got.tokens).toEqual(want.tokens);
    got.logProbs.forEach((logProb, i) => expect(logProb).toBeCloseTo(want.logProbs[i]!, 3));
    expect(got.started!.weights.adapter).toBe(adapter.digest);
    expect(got.tokens).not.toEqual((await collect(engine.generate(request))).tokens);
  });

  it('never mix: whatever goes live meanwhile, an answer comes wholly from the weights it names', async () => {
    const adapters = [randomAdapter(5), randomAdapter(6), randomAdapter(7)];
    const choices = [null, ...adapters.map(({ digest }) => digest)];
    const single = await load({ slots: 1 });
    const engine = await load({ slots: 4, tokenBudget: 20 });
    for (const adapter of adapters) {
      await single.loadAdapter(adapter);
      await engine.loadAdapter(adapter);
    }
    const random = createRandom(11);
    const requests = Array.from({ length: 24 }, (_, i) =>
      greedy(`r${i}`, randomPrompt(i % 5, 4 + random.int(30)), { maxTokens: 4 + random.int(30) }),
    );
    let swaps = 0;
    const answers = await Promise.all(
      requests.map(async (request) => {
        const events = [];
        for await (const event of engine.generate(request)) {
          events.push(event);
          if (event.type === 'token' && random.int(8) === 0) await engine.setLive(choices[swaps++ % 4]!);
        }
        return events;
      }),
    );
    expect(swaps).toBeGreaterThan(20);
    const seen = new Set<string | null>();
    for (const [i, events] of answers.entries()) {
      const [started] = events;
      if (started?.type !== 'started') throw new Error('no started event');
      seen.add(started.weights.adapter);
      const want = await collect(single.generate({ ...requests[i]!, adapter: started.weights.adapter }));
      expect(events.flatMap((event) => (event.type === 'token' ? [event.token] : []))).toEqual(want.tokens);
      expect(events.at(-1)).toMatchObject({ weights: started.weights });
    }
    expect(seen.size).toBe(4);
  });

  it('that do not fit are refused by name', async () => {
    const engine = await load();
    const wrong = randomAdapter(5, { ...(randomModel(1).config as object), hidden_size: 32 });
    await expect(engine.loadAdapter(wrong)).rejects.toThrow(/adapter-5 cannot be served.*q_proj/);
    await expect(engine.setLive('nobody')).rejects.toThrow(/nobody is not loaded/);
  });

  it('can be unloaded while a sequence still runs on them', async () => {
    const engine = await load();
    await engine.loadAdapter(randomAdapter(5));
    const request = greedy('a', randomPrompt(1, 4), { maxTokens: 40, adapter: 'adapter-5' });
    const want = (await collect(engine.generate(request))).tokens;
    const tokens: number[] = [];
    for await (const event of engine.generate(request)) {
      if (event.type === 'started') await engine.unloadAdapter('adapter-5');
      if (event.type === 'token') tokens.push(event.token);
    }
    expect(tokens).toEqual(want);
    expect((await engine.stats()).adapters).toEqual([]);
  });

  it('keep their memory until then, and leave it to others after', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'attune engine '));
    const givenBack = vi.spyOn(AdapterReader.prototype, 'giveBack');
    try {
      const places = [5, 6, 7].map((seed) => path.join(folder, `adapter-${seed}`));
      for (const [i, place] of places.entries()) await writeAdapter(place, randomAdapter(5 + i));
      const engine = await load();
      const adapter = (await engine.loadAdapter(places[0]!)).adapter!;
      const request = greedy('a', randomPrompt(1, 4), { maxTokens: 40, adapter });
      const want = (await collect(engine.generate(request))).tokens;
      const tokens: number[] = [];
      for await (const event of engine.generate(request)) {
        if (event.type === 'token') tokens.push(event.token);
        if (event.type !== 'started') continue;
        await engine.unloadAdapter(adapter);
        expect(givenBack).not.toHaveBeenCalled();
        for (const place of places.slice(1)) await engine.loadAdapter(place);
      }
      expect(tokens).toEqual(want);
      expect(givenBack.mock.calls.map(([{ digest }]) => digest)).toEqual([adapter]);
      const again = { ...request, adapter: (await engine.loadAdapter(places[0]!)).adapter };
      expect((await collect(engine.generate(again))).tokens).toEqual(want);
    } finally {
      givenBack.mockRestore();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
