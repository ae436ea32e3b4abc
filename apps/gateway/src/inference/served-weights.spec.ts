import type { ModelToServe } from '@attune/engine';
import { CheckpointStore, weightsDigest, type CheckpointLineage, type LowRankWeights } from '@attune/checkpoint';
import type { Checkpoint, CheckpointRepository } from '@attune/persistence';
import { NotFoundError, type Config } from '@attune/platform';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LiveWeights } from './live-weights.js';
import { ModelPlaces } from './model-places.js';
import { ServedModel } from './served-model.js';
import { ServedWeights } from './served-weights.js';
import type { ServingEngine } from './serving-engine.js';

const dataDir = mkdtempSync(path.join(tmpdir(), 'attune weights '));
const store = new CheckpointStore(path.join(dataDir, 'checkpoints'));
const rows = new Map<string, Checkpoint>();
afterAll(() => rmSync(dataDir, { recursive: true }));

const lineage = { baseModel: 'mini', baseDigest: 'base', objectives: [], seed: 1 } as unknown as CheckpointLineage;
const adapter = (alpha: number): LowRankWeights => ({ rank: 1, alpha, tensors: new Map() });
const norm = { shape: [1], data: new Float32Array([1]) };

beforeAll(async () => {
  for (const id of ['ckpt_1', 'ckpt_2', 'ckpt_3', 'ckpt_4']) await publish(id, { adapter: adapter(Number(id.at(-1))) });
  await publish('ckpt_full', { adapter: null, model: { config: {}, tensors: new Map([['norm', norm]]) } });
  await publish('ckpt_over', { adapter: adapter(5) }, (await store.manifest('ckpt_full')).modelDigest!);
  await publish('ckpt_foreign', { adapter: adapter(6) }, 'of another model');
});

async function publish(
  id: string,
  content: Pick<Parameters<CheckpointStore['publish']>[1], 'adapter' | 'model'>,
  baseDigest = 'base',
) {
  const manifest = await store.publish(id, { ...content, manifest: { ...lineage, baseDigest } });
  rows.set(id, { ...manifest, folder: id } as unknown as Checkpoint);
}

/** An engine that knows which digest each folder stands for. */
function setUp(maxAdapters = 2) {
  const engine = { base: 'base', live: null as string | null, adapters: new Set<string>(), calls: [] as string[] };
  const digestIn = async (folder: string) => (await store.manifest(path.basename(folder))).adapterDigest!;
  const port = {
    stats: async () => ({
      live: { base: engine.base, adapter: engine.live, digest: weightsDigest(engine.base, engine.live) },
      adapters: [...engine.adapters],
    }),
    loadAdapter: async (folder: string) => {
      const digest = await digestIn(folder);
      engine.adapters.add(digest);
      engine.calls.push(`load ${path.basename(folder)}`);
      return { adapter: digest };
    },
    setLive: async (digest: string | null) => {
      if (digest !== null && !engine.adapters.has(digest)) throw new NotFoundError('not loaded');
      engine.live = digest;
    },
    unloadAdapter: async (digest: string) => {
      engine.adapters.delete(digest);
      engine.calls.push('unload');
    },
    swapModel: async ({ digest, adapter }: ModelToServe) => {
      const live = adapter?.digest ?? null;
      Object.assign(engine, { base: digest, live, adapters: new Set(live ? [live] : []) });
      engine.calls.push(`swap ${digest === 'base' ? 'base' : 'full'}${adapter ? ' with adapter' : ''}`);
      return { base: digest };
    },
  } as unknown as ServingEngine;
  const tokenizer = { vocabSize: 0 };
  const facts = { id: 'mini', tokenizer, context: 8, baseDigest: 'base', folder: '/base', created: 0 };
  const config = { storage: { dataDir }, model: { engineMaxAdapters: maxAdapters } } as unknown as Config;
  const checkpoints = {
    get: async (id: string) => {
      const row = rows.get(id);
      if (!row) throw new NotFoundError(`There is no checkpoint ${id}.`);
      return row;
    },
    findByWeightsDigest: async (digest: string) =>
      [...rows.values()].find(({ weightsDigest }) => weightsDigest === digest) ?? null,
  } as unknown as CheckpointRepository;
  const names = new LiveWeights();
  const model = new ServedModel(facts as never);
  const places = new ModelPlaces(config, checkpoints, model);
  const weights = new ServedWeights(config, port, checkpoints, names, model, places);
  return { engine: Object.assign(engine, { port }), weights, names };
}

const digestOf = (id: string) => rows.get(id)!.adapterDigest;

describe('the weights a request names', () => {
  let now: ReturnType<typeof setUp>;
  beforeEach(() => void (now = setUp()));

  it('are what is live, the base, or a checkpoint, which is loaded once', async () => {
    const { weights, engine, names } = now;
    expect(await weights.choose('mini')).toMatchObject({ adapter: undefined });
    expect(await weights.choose('mini:base')).toMatchObject({ adapter: null });
    expect(await weights.choose('mini:ckpt_1')).toMatchObject({ adapter: digestOf('ckpt_1') });
    expect(await weights.choose('ckpt_1')).toMatchObject({ adapter: digestOf('ckpt_1') });
    expect(engine.calls).toEqual(['load ckpt_1']);
    expect(names.checkpointOf(rows.get('ckpt_1')!.weightsDigest)).toBe('ckpt_1');
    expect(weights.ready.map(({ id }) => id)).toEqual(['ckpt_1']);
  });

  it.each(['mini:ckpt_none', 'gpt-4o'])('%s is refused with the name that would do', async (name) => {
    await expect(now.weights.choose(name)).rejects.toMatchObject({
      kind: 'not_found',
      code: 'model_not_found',
      message: expect.stringContaining('ask for `mini`') as string,
    });
  });

  it('that the gate has turned down answer nobody', async () => {
    const { weights } = setUp();
    const known = rows.get('ckpt_1')!;
    rows.set('ckpt_1', { ...known, status: 'rejected' });
    await expect(weights.choose('mini:ckpt_1')).rejects.toThrow(NotFoundError);
    rows.set('ckpt_1', known);
  });

  it('leave the engine when they were used longest ago, but not while a request runs on them, nor when live', async () => {
    const { weights, engine } = now;
    const inTurn = () => weights.makeLive(rows.get('ckpt_1')!); // by then, all that was asked before is done
    const inEngine = () => [...engine.adapters];
    await inTurn();
    const second = await weights.choose('ckpt_2');
    await weights.choose('ckpt_3').then(({ release }) => release());
    await inTurn();
    expect(inEngine()).toEqual(['ckpt_1', 'ckpt_2'].map(digestOf));
    const fourth = await weights.choose('ckpt_4');
    expect(inEngine()).toEqual(['ckpt_1', 'ckpt_2', 'ckpt_4'].map(digestOf));
    for (const { release } of [fourth, second, second]) release();
    await inTurn();
    expect(inEngine()).toEqual(['ckpt_1', 'ckpt_4'].map(digestOf));
    await weights.choose('ckpt_3').then(({ release }) => release());
    await inTurn();
    expect(inEngine()).toEqual(['ckpt_1', 'ckpt_3'].map(digestOf));
  });

  it('of a full fine-tune take the place of the model, and adapters of the base model come back with it', async () => {
    const { weights, engine } = now;
    await weights.makeLive(rows.get('ckpt_1')!);
    expect(await weights.makeLive(rows.get('ckpt_full')!)).toBe(true);
    expect(engine.base).toBe((await store.manifest('ckpt_full')).modelDigest);
    expect(await weights.makeLive(rows.get('ckpt_full')!)).toBe(false);
    expect(await weights.choose('ckpt_full')).toMatchObject({ adapter: null });
    await expect(weights.choose('ckpt_1')).rejects.toMatchObject({ kind: 'conflict', code: 'model_not_served' });
    await expect(weights.choose('mini:base')).rejects.toThrow(/full fine-tune is in the engine, and the base weights/);
    await weights.makeLive(rows.get('ckpt_2')!);
    expect(engine).toMatchObject({ base: 'base', live: digestOf('ckpt_2') });
    await expect(weights.choose('ckpt_full')).rejects.toThrow(/not beside other weights/);
    await weights.makeLive(null);
    expect(engine).toMatchObject({ base: 'base', live: null });
    expect(engine.calls).toEqual(['load ckpt_1', 'swap full', 'swap base with adapter', 'load ckpt_2']);
  });

  it('of an adapter over a full fine-tune go live with it, and lend themselves beside it only', async () => {
    const { weights, engine } = now;
    await expect(weights.choose('ckpt_over')).rejects.toThrow(
      /base model is in the engine, and checkpoint `ckpt_over`/,
    );
    expect(await weights.makeLive(rows.get('ckpt_over')!)).toBe(true);
    const { modelDigest } = await store.manifest('ckpt_full');
    expect(engine).toMatchObject({ base: modelDigest, live: digestOf('ckpt_over') });
    await weights.makeLive(rows.get('ckpt_full')!);
    expect(engine).toMatchObject({ base: modelDigest, live: null });
    expect(await weights.choose('ckpt_over')).toMatchObject({ adapter: digestOf('ckpt_over') });
    expect(await weights.choose('ckpt_full')).toMatchObject({ adapter: null });
    expect(engine.calls).toEqual(['swap full with adapter', 'load ckpt_over']);
  });

  it('over a model that is not here are refused by name', async () => {
    const { weights, engine } = now;
    const refusal = {
      kind: 'conflict',
      message: expect.stringContaining('`ckpt_foreign` was trained on other') as string,
    };
    await expect(weights.choose('ckpt_foreign')).rejects.toMatchObject(refusal);
    await expect(weights.makeLive(rows.get('ckpt_foreign')!)).rejects.toMatchObject(refusal);
    expect(engine).toMatchObject({ base: 'base', live: null, calls: [] });
  });

  it('that a replaced engine could not read again are not called ready, and are read when they are asked for', async () => {
    const { weights, engine } = now;
    for (const id of ['ckpt_1', 'ckpt_2']) await weights.choose(id).then(({ release }) => release());
    engine.adapters.delete(digestOf('ckpt_1')!);
    await weights.makeLive(null);
    expect(weights.ready.map(({ id }) => id)).toEqual(['ckpt_2']);
    await weights.choose('ckpt_1');
    expect(engine.calls).toEqual(['load ckpt_1', 'load ckpt_2', 'load ckpt_1']);
  });

  it('of a full fine-tune are what the engine has, whoever is said to be live', async () => {
    const { weights, engine } = now;
    await weights.makeLive(rows.get('ckpt_full')!);
    const { setLive } = engine.port;
    let asked: Promise<unknown> = Promise.resolve();
    engine.port.setLive = async (digest) => {
      asked = weights.choose('ckpt_full'); // the base model is back, and `live` not yet changed
      asked.catch(() => undefined);
      await asked.catch(() => undefined);
      await setLive(digest);
    };
    await weights.makeLive(null);
    await expect(asked).rejects.toThrow(/not beside other weights/);
  });

  it('that share an adapter keep it until the last of them has left, and a failed unload holds nothing', async () => {
    const { weights, engine } = (now = setUp(1));
    rows.set('ckpt_twin', { ...rows.get('ckpt_1')!, id: 'ckpt_twin' });
    const first = await weights.choose('ckpt_1');
    const twin = await weights.choose('ckpt_twin');
    first.release();
    await weights.makeLive(null);
    expect([...engine.adapters]).toEqual([digestOf('ckpt_1')]);
    twin.release();
    const { unloadAdapter } = engine.port;
    engine.port.unloadAdapter = () => Promise.reject(new Error('the engine is busy'));
    await expect(weights.choose('ckpt_2')).rejects.toThrow('the engine is busy');
    engine.port.unloadAdapter = unloadAdapter;
    await weights.choose('ckpt_3');
    expect(weights.ready.map(({ id }) => id)).toEqual(['ckpt_3']);
  });

  it('stay what they were when their files have changed', async () => {
    const { weights, engine } = now;
    const row = { ...rows.get('ckpt_1')!, adapterDigest: 'other', weightsDigest: 'fp_other' };
    await expect(weights.makeLive(row)).rejects.toThrow(/its files have changed/);
    expect(engine.live).toBeNull();
    expect(await weights.choose('mini')).toMatchObject({ adapter: undefined });
    expect(engine.calls).toEqual(['load ckpt_1']);
  });
});
