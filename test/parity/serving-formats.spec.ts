import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { collect, Engine, type EngineOptions } from '@attune/engine';
import { Tokenizer } from '@attune/tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = path.resolve('../shared/data/weights/stories260K');
const present = existsSync(folder);
const BOS = 1;
const TOKENS = 120;

/** Real weights and real text: what each format costs, token by token as the engine decodes. */
describe.skipIf(!present)('formats on stories260K (skipped without ../shared/data)', () => {
  const engines: Engine[] = [];
  let story: number[];
  let exact: Float64Array[];

  const load = async (options: Partial<EngineOptions>) => {
    const common = { model: path.join(folder, 'hf'), slots: 2, maxSeq: 256, threads: 1, spinning: false } as const;
    const engine = await Engine.load({ ...common, ...options });
    engines.push(engine);
    return engine;
  };

  beforeAll(async () => {
    const tokenizer = await Tokenizer.fromFolder(path.join(folder, 'hf'));
    const text = readFileSync(path.join(folder, 'expected_greedy.txt'), 'utf8').trim();
    story = [BOS, ...tokenizer.encode(text)].slice(0, TOKENS);
    exact = await distributions(await load({}));
  });
  afterAll(() => Promise.all(engines.map((engine) => engine.close())));

  async function distributions(engine: Engine): Promise<Float64Array[]> {
    const found = [];
    for (let at = 1; at < story.length; at++) {
      const request = { id: 'next', promptIds: story.slice(0, at), maxTokens: 1, logProbs: true, topLogProbs: 512 };
      const logProbs = new Float64Array(512);
      for await (const event of engine.generate(request))
        if (event.type === 'token') for (const { token, logProb } of event.top!) logProbs[token] = logProb;
      found.push(logProbs);
    }
    return found;
  }

  const divergenceOf = async (options: Partial<EngineOptions>) => {
    const found = await distributions(await load(options));
    let sum = 0;
    found.forEach((logProbs, i) =>
      exact[i]!.forEach((want, token) => (sum += Math.exp(want) * (want - logProbs[token]!))),
    );
    return sum / found.length;
  };

  it('int8 weights, cache or both stay within 0.02 nats of fp32', async () => {
    for (const options of [{ format: 'int8' }, { kv: 'int8' }, { format: 'int8', kv: 'int8' }] as const) {
      const divergence = await divergenceOf(options);
      expect(divergence, JSON.stringify(options)).toBeGreaterThan(0);
      expect(divergence, JSON.stringify(options)).toBeLessThan(0.02);
    }
  });

  it('int4 weights stay within 0.2 nats, and nearer than with plain rounding', async () => {
    const fitted = await divergenceOf({ format: 'int4' });
    expect(fitted).toBeLessThan(0.2);
    expect(fitted).toBeLessThan(await divergenceOf({ format: 'int4', int4Rounding: 'plain' }));
  });

  it('fp32 tells the same story with drafts as without', async () => {
    const request = { id: 'story', promptIds: story.slice(0, 40), maxTokens: 200, sampling: { temperature: 0 } };
    const [plain, drafting] = [await load({ speculation: false }), await load({})];
    const want = await collect(plain.generate(request));
    expect((await collect(drafting.generate(request))).tokens).toEqual(want.tokens);
    expect((await drafting.stats()).acceptedTokens).toBeGreaterThan(10);
  });
});
