import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adapterDigest, type LowRankWeights } from './adapter-kinds.js';
import type { CheckpointContent } from './checkpoint-manifest.js';
import { CheckpointStore } from './checkpoint-store.js';
import { weightsDigest } from './digest.js';
import { readModelFolder } from './model-folder.js';
import { ownName } from './owner.js';

const adapter = (value: number): LowRankWeights => ({
  rank: 1,
  alpha: 2,
  tensors: new Map([['model.layers.0.self_attn.q_proj', { a: new Float32Array([value]), b: new Float32Array([1]) }]]),
});

const content = (value: number): CheckpointContent => ({
  adapter: adapter(value),
  rewardAdapter: adapter(9),
  heads: { 'reward_head.weight': { shape: [1, 2], data: new Float32Array([0.5, -0.5]) } },
  manifest: {
    parentId: null,
    jobId: 'job_1',
    baseModel: 'attune-mini',
    baseDigest: 'base',
    objectives: ['sft', 'ppo'],
    seed: 17,
    datasetRowIds: ['row_1', 'row_2'],
    config: { rank: 1 },
    metrics: { win_rate: 0.75 },
  },
});

describe('the checkpoint store', () => {
  let folder: string;
  let store: CheckpointStore;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'attune checkpoints '));
    store = new CheckpointStore(folder, { now: () => new Date('2026-01-02T03:04:05Z'), monotonicMs: () => 0 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives back what was published, with its lineage', async () => {
    const manifest = await store.publish('ckpt_a', content(1));
    expect(manifest).toMatchObject({
      ...content(1).manifest,
      id: 'ckpt_a',
      created: '2026-01-02T03:04:05.000Z',
      adapterDigest: adapterDigest(adapter(1)),
      weightsDigest: weightsDigest('base', adapterDigest(adapter(1))),
    });
    const opened = await store.open('ckpt_a');
    expect(opened.manifest).toEqual(manifest);
    expect(opened.adapter).toMatchObject(adapter(1));
    expect(opened.rewardAdapter?.digest).toBe(adapterDigest(adapter(9)));
    expect(opened.heads.get('reward_head.weight')).toEqual({ shape: [1, 2], data: new Float32Array([0.5, -0.5]) });
    expect(await store.list()).toEqual(['ckpt_a']);
  });

  it('can hold the base model itself', async () => {
    const manifest = await store.publish('ckpt_base', { adapter: null, manifest: content(1).manifest });
    expect(manifest.weightsDigest).toBe(weightsDigest('base', null));
    expect(await store.open('ckpt_base')).toMatchObject({ adapter: null, rewardAdapter: null, heads: new Map() });
  });

  it('holds a full fine-tune as a model folder of its own', async () => {
    const model = (value: number): CheckpointContent['model'] => ({
      config: { architectures: ['LlamaForCausalLM'] },
      tensors: new Map([['model.norm.weight', { shape: [2], data: new Float32Array([value, 2]) }]]),
      files: { 'tokenizer.json': '{}' },
    });
    const full = (value: number) => ({ adapter: null, model: model(value), manifest: content(1).manifest });
    const manifest = await store.publish('ckpt_full', full(1));
    const { digest } = await readModelFolder(store.modelFolderOf('ckpt_full'));
    expect(manifest).toMatchObject({ kind: 'full', adapterDigest: null, modelDigest: digest, baseDigest: 'base' });
    expect(manifest.weightsDigest).toBe(weightsDigest(digest, null));
    expect((await store.open('ckpt_full')).model!.tensor('model.norm.weight').data).toEqual(new Float32Array([1, 2]));
    expect(await store.publish('ckpt_full', full(1))).toEqual(manifest);
    await expect(store.publish('ckpt_full', full(3))).rejects.toThrow(/other weights/);
    expect(await store.list()).toEqual(['ckpt_full']);
  });

  it('is never changed: the same weights may come again, others may not', async () => {
    const first = await store.publish('ckpt_a', content(1));
    expect(await store.publish('ckpt_a', content(1))).toEqual(first);
    await expect(store.publish('ckpt_a', content(2))).rejects.toThrow(/exists already with other weights/);
  });

  it.each(['adapter_model.safetensors', 'heads.safetensors', 'reward/adapter_config.json'])(
    'refuses a checkpoint whose %s was touched or lost',
    async (file) => {
      await store.publish('ckpt_a', content(1));
      appendFileSync(path.join(store.folderOf('ckpt_a'), file), ' ');
      await expect(store.open('ckpt_a')).rejects.toThrow(`Checkpoint ckpt_a: ${file} was changed`);
      rmSync(path.join(store.folderOf('ckpt_a'), file));
      await expect(store.open('ckpt_a')).rejects.toThrow(`${file} cannot be read`);
    },
  );

  it('refuses a checkpoint whose manifest is damaged', async () => {
    await store.publish('ckpt_a', content(1));
    truncateSync(path.join(store.folderOf('ckpt_a'), 'manifest.json'), 10);
    await expect(store.open('ckpt_a')).rejects.toThrow('Checkpoint ckpt_a: manifest.json is damaged');
  });

  it('sweeps what killed processes left, and nothing of a living one', async () => {
    const [host, pid, start] = ownName().split('-');
    const day = 25 * 60 * 60;
    const make = (name: string, owner: string, ageSeconds = 0) => {
      const entry = `.${name}.${owner}.0123456789ab.tmp`;
      mkdirSync(path.join(folder, entry));
      const time = Date.now() / 1000 - ageSeconds;
      utimesSync(path.join(folder, entry), time, time);
      return entry;
    };
    make('dead', `${host}-999999999-1`);
    make('number used again', `${host}-${pid}-${Number(start) + 1}`);
    make('compared', `${host}-999999999-1`);
    make('elsewhere, long ago', `00000000-${pid}-${start}`, day);
    const kept = [make('ours', ownName(), day), make('elsewhere', `00000000-${pid}-1`)];
    expect(await store.list()).toEqual([]);
    await Promise.all([store.sweep(), new CheckpointStore(folder).sweep()]);
    expect(readdirSync(folder).sort()).toEqual(kept.sort());
  });

  it('leaves nothing of the comparison of a full fine-tune that is published twice', async () => {
    const norm = { shape: [1], data: new Float32Array([1]) };
    const full = { ...content(1), adapter: null, model: { config: {}, tensors: new Map([['norm', norm]]) } };
    await store.publish('ckpt_full', full);
    await store.publish('ckpt_full', full);
    expect(readdirSync(folder)).toEqual(['ckpt_full']);
  });

  it('takes no path for an id', async () => {
    await expect(store.open('../ckpt_a')).rejects.toThrow(/is no checkpoint id/);
    await expect(store.open('ckpt_none')).rejects.toThrow(/ckpt_none is not in/);
  });
});
