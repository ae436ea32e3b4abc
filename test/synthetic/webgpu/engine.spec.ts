import { fileURLToPath } from 'node:url';
import { type Adapter, collect, Engine, type GenerateRequest, type LoadedModel } from '@attune/engine';
import { afterEach, expect, it } from 'vitest';
import type { DeviceSessions } from '../../../libs/engine/src/running/device/device-sessions.js';
import type { Runner } from '../../../libs/engine/src/running/runner.js';
import { describeOnSwiftShader } from '../../support/swiftshader.js';
import { randomAdapter, randomBottleneck, randomModel, randomSoftPrompt } from '../engine/tiny-models.js';

type Ask = Partial<GenerateRequest> & Pick<GenerateRequest, 'promptIds'>;

const greedy = { temperature: 0 };
const asks: readonly Ask[] = [
  { promptIds: [3, 1, 4, 1, 5, 9], sampling: greedy },
  { promptIds: [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5, 2, 3], sampling: greedy },
  { promptIds: [1, 6, 1, 8], sampling: { temperature: 0.8, topP: 0.9, seed: 7 }, logProbs: true },
  { promptIds: [1, 4, 1, 4, 2], sampling: { temperature: 1, seed: 11 } },
  { promptIds: [5, 7, 7], sampling: { ...greedy, repetitionPenalty: 1.3 } },
];

describeOnSwiftShader('the engine on WebGPU', fileURLToPath(import.meta.url), () => {
  const engines: Engine[] = [];
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close();
  });

  async function load(model: LoadedModel, device: 'cpu' | 'webgpu', adapters: readonly Adapter[] = []) {
    const engine = await Engine.load({ model, device, slots: 3, maxSeq: 64, threads: 1, spinning: false });
    engines.push(engine);
    for (const adapter of adapters) await engine.loadAdapter(adapter);
    return engine;
  }

  const answer = (engine: Engine, requests: readonly Ask[]) =>
    Promise.all(
      requests.map((request, i) => collect(engine.generate({ id: `${i}`, user: `${i}`, maxTokens: 12, ...request }))),
    );

  it('gives the tokens that the CPU gives, more requests than slots at once', async () => {
    const model = randomModel(1);
    const [want, got] = [await answer(await load(model, 'cpu'), asks), await answer(await load(model, 'webgpu'), asks)];
    expect(got.map(({ tokens }) => tokens)).toEqual(want.map(({ tokens }) => tokens));
    expect(want.every(({ tokens }) => tokens.length === 12)).toBe(true);
    got[2]!.logProbs.forEach((logProb, i) => expect(logProb).toBeCloseTo(want[2]!.logProbs[i]!, 3));
    expect(await engines[1]!.stats()).toMatchObject({ device: 'webgpu', kv: 'fp32', running: 0 });
  });

  it('draws plain and greedy tokens on the device, with the log-probs that the host would tell', async () => {
    const model = randomModel(1);
    const plain: Ask[] = [
      { promptIds: [3, 1, 4], sampling: greedy, logProbs: true },
      { promptIds: [1, 4, 1, 4, 2], sampling: { temperature: 1, seed: 11 }, logProbs: true },
      { promptIds: [2, 7], sampling: { temperature: 0.6, seed: 5 }, logProbs: true },
    ];
    const want = await answer(await load(model, 'cpu'), plain);
    const engine = await load(model, 'webgpu');
    const { runner } = (engine as unknown as { model: { runner: Required<Runner> } }).model;
    const { sessions } = runner as unknown as { sessions: DeviceSessions };
    const { session } = await sessions.get({ rows: 1, adapters: [], embeddings: false });
    expect(Object.keys(session.leftToCpu())).toEqual([]);
    runner.decode = () => Promise.reject(new Error('the logits were fetched'));
    const got = await answer(engine, plain);
    for (const [i, { tokens, logProbs, finished }] of got.entries()) {
      expect(finished).toMatchObject({ reason: 'length' });
      expect(tokens).toEqual(want[i]!.tokens);
      logProbs.forEach((logProb, at) => expect(logProb).toBeCloseTo(want[i]!.logProbs[at]!, 3));
    }
    const [alone] = await answer(engine, [plain[1]!]);
    expect(alone!.tokens).toEqual(want[1]!.tokens);
    const [ranked] = await answer(engine, [{ ...plain[0]!, topLogProbs: 2 }]);
    expect(ranked!.finished).toMatchObject({ reason: 'failed', error: 'the logits were fetched' });
  });

  it('reuses what a slot still holds of a prompt, its own or copied from another', async () => {
    const engine = await load(randomModel(1), 'webgpu');
    const [ask] = [asks[1]!];
    const [first] = await answer(engine, [ask]);
    const again = await answer(engine, [ask, ask]);
    for (const { tokens, finished } of again) {
      expect(tokens).toEqual(first!.tokens);
      expect(finished.cachedTokens).toBe(ask.promptIds.length - 1);
    }
  });

  it('serves the base, LoRA, adapter layers and a soft prompt in one batch', async () => {
    const adapters: Adapter[] = [randomAdapter(5), randomBottleneck(6), randomSoftPrompt(7)];
    const requests = [null, ...adapters.map(({ digest }) => digest)].map((adapter) => ({ ...asks[0]!, adapter }));
    const want = await answer(await load(randomModel(1), 'cpu', adapters), requests);
    const got = await answer(await load(randomModel(1), 'webgpu', adapters), requests);
    expect(got.map(({ tokens }) => tokens)).toEqual(want.map(({ tokens }) => tokens));
    expect(new Set(want.map(({ tokens }) => tokens.join())).size).toBe(4); // each adapter changes the answer
  });

  it('brings an adapter back that made room for others', async () => {
    const engine = await load(randomModel(1), 'webgpu');
    const ask = (adapter: string) => answer(engine, [{ ...asks[0]!, adapter }]);
    await engine.loadAdapter(randomAdapter(0));
    const [before] = await ask('adapter-0');
    for (let seed = 1; seed <= 40; seed++) await engine.loadAdapter(randomAdapter(seed));
    const [after] = await ask('adapter-0');
    expect(after!.finished.reason).toBe('length');
    expect(after!.tokens).toEqual(before!.tokens);
  });

  it('says when the device that was asked for is not there, and falls back under auto', async () => {
    const options = { model: randomModel(1), slots: 1, maxSeq: 32, threads: 1 };
    await expect(Engine.load({ ...options, device: 'cuda' })).rejects.toThrow(/no cuda device can be used here/);
    const engine = await Engine.load({ ...options, device: 'auto' });
    engines.push(engine);
    // SwiftShader shows no device file, and would be too slow if it did.
    expect(await engine.stats()).toMatchObject({ device: 'cpu', deviceReason: expect.any(String) as string });
  });
});
