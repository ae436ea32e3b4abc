import type { Adapter } from '@attune/checkpoint';
import { collect, type Engine, type EngineOptions, type GenerateRequest } from '@attune/engine';
import { parameterShapes, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import { padSequences, parameter, parametersOf, Scorer } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { randomAdapter, randomBottleneck, randomModel, randomSoftPrompt, tinyConfig } from './tiny-models.js';
import { useEngines } from './use-engines.js';

const model = randomModel(1);
const loadEngine = useEngines({ model });

async function load(adapters: readonly Adapter[], options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await loadEngine(options);
  for (const adapter of adapters) await engine.loadAdapter(adapter);
  return engine;
}

const greedy = (id: string, promptIds: readonly number[], more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id,
  promptIds,
  maxTokens: 24,
  sampling: { temperature: 0 },
  logProbs: true,
  ...more,
});

/** What the training graph says of an answer's tokens under an adapter. */
async function scored(adapter: Adapter, prompt: readonly number[], answer: readonly number[]): Promise<Float32Array> {
  const config = parseModelConfig(tinyConfig);
  const base = [...parameterShapes(config)].map(
    ([name, shape]) => [name, parameter(shape, model.tensor(name).data)] as const,
  );
  const scorer = new Scorer({
    config,
    parameters: new Map([...base, ...parametersOf(adapter)]),
    adapterScale: 1, // alpha = rank
    runtime: createRuntime({ threads: 1 }),
  });
  const weights = [...prompt.map(() => 0), ...answer.map(() => 1)];
  try {
    return await scorer.tokenLogProbs(padSequences([{ ids: [...prompt, ...answer], weights }]));
  } finally {
    await scorer.release();
  }
}

describe('every kind of adapter', () => {
  it.each([randomAdapter(5), randomBottleneck(6), randomSoftPrompt(7)])(
    'is served as it was trained: $digest',
    async (adapter) => {
      const engine = await load([adapter]);
      const prompt = [3, 1, 4, 1, 5, 9, 2, 6];
      const { tokens, logProbs, finished } = await collect(
        engine.generate(greedy('a', prompt, { adapter: adapter.digest })),
      );
      const want = await scored(adapter, prompt, tokens);
      logProbs.forEach((logProb, i) => expect(logProb).toBeCloseTo(want[i]!, 3));
      expect(finished).toMatchObject({ promptTokens: 8, completionTokens: 24 });
      const base = await collect(engine.generate(greedy('b', prompt, { adapter: null })));
      expect(tokens).not.toEqual(base.tokens);
    },
  );

  it('can share one batch with all others and the base, each row with its own tokens', async () => {
    const adapters = [
      ...[5, 6, 7].map((seed) => randomAdapter(seed)),
      ...[8, 9].map((seed) => randomBottleneck(seed)),
      ...[10, 11].map((seed) => randomSoftPrompt(seed)),
    ];
    const choices = [null, ...adapters.map(({ digest }) => digest)];
    const random = createRandom(3);
    const requests = Array.from({ length: 40 }, (_, i) =>
      greedy(
        `r${i}`,
        Array.from({ length: 2 + random.int(20) }, () => random.int(64)),
        {
          adapter: choices[i % choices.length]!,
          maxTokens: 5 + random.int(40),
          sampling: i % 3 ? { temperature: 1, topK: 30, seed: i } : { temperature: 0 },
        },
      ),
    );
    const single = await load(adapters, { slots: 1 });
    const alone = [];
    for (const request of requests) alone.push((await collect(single.generate(request))).tokens);
    const shared = await load(adapters, { slots: 8 });
    const together = await Promise.all(requests.map((request) => collect(shared.generate(request))));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
    expect(new Set(together.map(({ started }) => started!.weights.digest)).size).toBe(8);
    const { steps, completionTokens } = await shared.stats();
    expect(completionTokens / steps).toBeGreaterThan(4); // they did share
  });

  it('is refused when it holds a number that is none', async () => {
    const engine = await load([]);
    const broken = randomBottleneck(6);
    broken.tensors.get('model.layers.1.mlp')!.up[7] = Infinity;
    await expect(engine.loadAdapter(broken)).rejects.toThrow(/bottleneck-6 cannot be served.*not finite/);
  });
});

describe('a soft prompt', () => {
  it('made of the embeddings of words says what the words say', async () => {
    const words = [11, 22, 33, 44];
    const table = model.tensor('model.embed_tokens.weight').data;
    const { hidden_size: hidden } = tinyConfig;
    const embeddings = Float32Array.from(words.flatMap((id) => [...table.subarray(id * hidden, (id + 1) * hidden)]));
    const engine = await load([{ kind: 'soft-prompt', digest: 'words', numTokens: 4, embeddings }]);
    const soft = await collect(engine.generate(greedy('a', [5, 6, 7], { adapter: 'words' })));
    const plain = await collect(engine.generate(greedy('b', [...words, 5, 6, 7])));
    expect(soft.tokens).toEqual(plain.tokens);
    expect(soft.started).toMatchObject({ promptTokens: 3, cachedTokens: 0 });
  });

  it('is remembered with the conversation behind it, and costs no tokens of the caller', async () => {
    const adapter = randomSoftPrompt(7, 20);
    const engine = await load([adapter], { slots: 2, tokenBudget: 18 });
    const fresh = await load([adapter], { slots: 1 });
    const first = greedy(
      'a',
      Array.from({ length: 30 }, (_, i) => i),
      { adapter: adapter.digest },
    );
    const answer = await collect(engine.generate(first));
    expect(answer.tokens).toEqual((await collect(fresh.generate(first))).tokens);
    const turn = greedy('b', [...first.promptIds, ...answer.tokens, 3, 4], { adapter: adapter.digest });
    const reused = await collect(engine.generate(turn));
    expect(reused.finished.cachedTokens).toBe(30 + answer.tokens.length - 1);
    const want = await load([adapter], { slots: 1 });
    expect(reused.tokens).toEqual((await collect(want.generate(turn))).tokens);
  });

  it('leaves the less room: what does not fit behind it is refused with both sizes', async () => {
    const engine = await load([randomSoftPrompt(7, 20)], { maxSeq: 40 });
    const request = greedy('a', [1, 2, 3, 4], { adapter: 'soft-prompt-7', maxTokens: 20 });
    const { finished } = await collect(engine.generate(request));
    expect(finished).toMatchObject({ reason: 'rejected', error: /20 tokens before the prompt.*room for 20/ });
    const fits = await collect(engine.generate({ ...request, id: 'b', maxTokens: 16 }));
    expect(fits.finished.reason).toBe('length');
  });
});

/** Log-probabilities of all tokens that may follow a prompt. */
async function nextToken(engine: Engine, promptIds: readonly number[], adapter?: string) {
  const request = greedy(`next ${adapter}`, promptIds, { adapter, maxTokens: 1, topLogProbs: tinyConfig.vocab_size });
  for await (const event of engine.generate(request))
    if (event.type === 'token') return new Map(event.top!.map(({ token, logProb }) => [token, logProb]));
  throw new Error('there was no token');
}

/** Nats from one distribution over tokens, in logs, to another. */
const divergence = (want: ReadonlyMap<number, number>, got: ReadonlyMap<number, number>) =>
  [...want].reduce((sum, [token, p]) => sum + Math.exp(p) * (p - got.get(token)!), 0);

describe('the live adapter beside rounded weights', () => {
  const adapters = [randomAdapter(5), randomAdapter(6)];
  const random = createRandom(3);
  const prompts = Array.from({ length: 24 }, (_, i) => Array.from({ length: 1 + (i % 12) }, () => random.int(64)));
  const ask = (from: Engine, id: string, adapter?: string | null) =>
    collect(from.generate(greedy(id, [1, 7, 3], { adapter })));

  it.each(['int8', 'int4'] as const)(
    'joins the graphs and is no farther from exact than before: %s',
    async (format) => {
      const exact = await load(adapters);
      const added = await load(adapters, { format });
      const engine = await load(adapters, { format, mergeLiveAfterMs: 0 });
      const live = (engine as unknown as { adapters: { isMerged: boolean } }).adapters;
      for (const { digest } of adapters) {
        await engine.setLive(digest);
        await expect.poll(() => live.isMerged).toBe(true);
        let [welded, plain] = [0, 0];
        for (const promptIds of prompts) {
          const want = await nextToken(exact, promptIds, digest);
          welded += divergence(want, await nextToken(engine, promptIds));
          plain += divergence(want, await nextToken(added, promptIds, digest));
        }
        expect(welded).toBeLessThan(1.25 * plain);
        if (format === 'int8') expect(welded).toBeCloseTo(plain, 4); // there the adapter itself is not rounded
      }
    },
  );

  it('shares no run with others, and answers nobody else', async () => {
    const engine = await load(adapters, { format: 'int8', mergeLiveAfterMs: 0 });
    const added = await load(adapters, { format: 'int8' });
    await engine.setLive('adapter-5');
    const live = (engine as unknown as { adapters: { isMerged: boolean } }).adapters;
    await expect.poll(() => live.isMerged).toBe(true);
    const named = [null, 'adapter-6', undefined, null];
    const got = await Promise.all(named.map((adapter, i) => ask(engine, `${i}`, adapter)));
    expect(got.map(({ started }) => started!.weights.adapter)).toEqual([null, 'adapter-6', 'adapter-5', null]);
    for (const [i, adapter] of named.entries())
      expect(got[i]!.tokens).toEqual((await ask(added, `${i}`, adapter === undefined ? 'adapter-5' : adapter)).tokens);
  });
});

describe('the live adapter, multiplied into the weights', () => {
  it('answers as it does when it is added, while answers under way end on what they began on', async () => {
    const adapters = [randomAdapter(5), randomAdapter(6)];
    const added = await load(adapters, { slots: 1 });
    const engine = await load(adapters, { slots: 4, mergeLiveAfterMs: 0 });
    for (const [round, digest] of ['adapter-5', 'adapter-6', 'adapter-5'].entries()) {
      await engine.setLive(digest);
      const requests = [0, 1, 2, 3, 4, 5].map((i) => greedy(`r${round} ${i}`, [i, 7, round], { maxTokens: 100 }));
      const answers = requests.slice(0, 3).map((each) => collect(engine.generate(each)));
      await new Promise((resolve) => setTimeout(resolve, 150));
      answers.push(...requests.slice(3).map((each) => collect(engine.generate(each))));
      for (const [i, { tokens, logProbs, started }] of (await Promise.all(answers)).entries()) {
        const want = await collect(added.generate({ ...requests[i]!, adapter: digest }));
        expect(started!.weights).toEqual(want.started!.weights);
        expect(tokens).toEqual(want.tokens);
        logProbs.forEach((logProb, at) => expect(logProb).toBeCloseTo(want.logProbs[at]!, 3));
      }
    }
  });
});
