import { collect, type Engine, type EngineOptions, type GenerateRequest } from '@attune/engine';
import { createRuntime } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { randomAdapter } from './tiny-models.js';
import { randomPrompt, useEngines } from './use-engines.js';

const VOCABULARY = 64;

const load = useEngines();

/** As a processor without VNNI or AMX makes it: weights then run in blocks, whatever the rows. */
const inBlocks = { runtime: { ...createRuntime({ threads: 1 }), exactProducts: async () => false } };

/** Log-probabilities after a prompt, by token. */
async function distribution(engine: Engine, promptIds: number[], adapter: string | null = null): Promise<number[]> {
  const request: GenerateRequest = {
    id: 'next',
    promptIds,
    maxTokens: 1,
    logProbs: true,
    topLogProbs: VOCABULARY,
    adapter,
  };
  for await (const event of engine.generate(request))
    if (event.type === 'token') return event.top!.toSorted((a, b) => a.token - b.token).map(({ logProb }) => logProb);
  throw new Error('no token');
}

const divergence = (want: number[], got: number[]) =>
  want.reduce((sum, logProb, token) => sum + Math.exp(logProb) * (logProb - got[token]!), 0);

const lengths = [1, 2, 3, 4, 9, 33, 60];

// Random weights are the worst case: none is redundant, and a small change of the last hidden state changes every logit.
describe.each([
  { name: 'int8 weights', options: { format: 'int8' }, bound: 0.03 },
  { name: 'int4 weights', options: { format: 'int4' }, bound: 1 },
  { name: 'int8 weights in blocks', options: { format: 'int8', ...inBlocks }, bound: 0.03 },
  { name: 'int4 weights in blocks', options: { format: 'int4', ...inBlocks }, bound: 1 },
  { name: 'an int8 cache', options: { kv: 'int8' }, bound: 0.03 },
  { name: 'int8 weights and cache', options: { format: 'int8', kv: 'int8' }, bound: 0.03 },
] as const)('$name', ({ options, bound }) => {
  it(`stay within ${bound} nats of fp32 on average, after prompts of any length, with an adapter as without`, async () => {
    const adapter = randomAdapter(5, undefined, 0.2);
    const [exact, rounded] = [await load(), await load(options)];
    await Promise.all([exact, rounded].map((engine) => engine.loadAdapter(adapter)));
    const found = [];
    for (const length of lengths)
      for (const digest of [null, adapter.digest]) {
        const ids = randomPrompt(length, length);
        found.push(divergence(await distribution(exact, ids, digest), await distribution(rounded, ids, digest)));
      }
    const mean = found.reduce((a, b) => a + b, 0) / found.length;
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThan(bound);
  });
});

describe.each([
  { name: 'fp32', options: {} },
  { name: 'int8', options: { format: 'int8' } },
  { name: 'int8 in blocks', options: { format: 'int8', ...inBlocks } },
  { name: 'int8 with an int8 cache', options: { format: 'int8', kv: 'int8' } },
] as const)('$name', ({ options }) => {
  it('gives the same tokens alone or among others, greedy and sampled', async () => {
    const requests = Array.from({ length: 8 }, (_, i) => ({
      id: `r${i}`,
      promptIds: randomPrompt(i, 3 + 5 * i),
      maxTokens: 30,
      sampling: i % 2 ? { temperature: 0.9, topK: 20, seed: 100 + i } : { temperature: 0 },
    }));
    const single = await load({ ...options, slots: 1 });
    const alone = [];
    for (const request of requests) alone.push((await collect(single.generate(request))).tokens);
    const shared = await load({ ...options, slots: 8 });
    const together = await Promise.all(requests.map((request) => collect(shared.generate(request))));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  });
});

it('reports what weights and cache take', async () => {
  const memory = async (options: Partial<EngineOptions>) => (await (await load(options)).stats()).memory;
  const [fp32, int8, small] = [await memory({}), await memory({ format: 'int8' }), await memory({ kv: 'int8' })];
  expect(int8.weightBytes).toBeLessThan(0.6 * fp32.weightBytes);
  // 2 layers, keys and values of 2 heads, each padded to 16.
  expect([fp32.bytesPerToken, small.bytesPerToken]).toEqual([2 * 2 * 2 * 16 * 4, 2 * 2 * 2 * 16]);
});
