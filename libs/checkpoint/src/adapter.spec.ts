import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { adapterDigest, readAdapter, writeAdapter, type AdapterWeights } from './adapter.js';
import { weightsDigest } from './digest.js';
import { openSafetensors } from './safetensors/read.js';
import { writeSafetensors } from './safetensors/write.js';

const dir = mkdtempSync(path.join(tmpdir(), 'attune adapter '));
afterAll(() => rmSync(dir, { recursive: true }));
const weightFile = path.join(dir, 'adapter_model.safetensors');

const adapter: AdapterWeights = {
  rank: 2,
  alpha: 4,
  tensors: new Map([
    ['model.layers.0.self_attn.q_proj', { a: new Float32Array([1, 2, 3, 4, 5, 6]), b: new Float32Array(8).fill(0.5) }],
    ['model.layers.0.mlp.down_proj', { a: new Float32Array(10).fill(-1), b: new Float32Array(6).fill(2) }],
  ]),
};

beforeEach(() => writeAdapter(dir, { ...adapter, baseModel: 'attune-mini' }));

describe('an adapter on disk', () => {
  it('is laid out as PEFT lays it out', () => {
    const shapes = [...openSafetensors(weightFile).tensors.values()].map(({ name, shape }) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual({
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': [2, 3],
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight': [4, 2],
      'base_model.model.model.layers.0.mlp.down_proj.lora_A.weight': [2, 5],
      'base_model.model.model.layers.0.mlp.down_proj.lora_B.weight': [3, 2],
    });
    expect(JSON.parse(readFileSync(path.join(dir, 'adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 4,
      target_modules: ['down_proj', 'q_proj'],
      base_model_name_or_path: 'attune-mini',
    });
  });

  it('comes back with the digest it had in memory', async () => {
    const read = await readAdapter(dir);
    expect(read).toMatchObject({ rank: 2, alpha: 4, baseModel: 'attune-mini', targets: ['down_proj', 'q_proj'] });
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...adapter.tensors].sort()));
    expect(read.digest).toBe(adapterDigest(adapter));
  });

  it('has a digest that follows its meaning, not the order of its modules', () => {
    const digest = adapterDigest(adapter);
    expect(adapterDigest({ ...adapter, tensors: new Map([...adapter.tensors].reverse()) })).toBe(digest);
    expect(adapterDigest({ ...adapter, alpha: 8 })).not.toBe(digest);
    const other = new Map(adapter.tensors);
    other.set('model.layers.0.mlp.down_proj', { a: new Float32Array(10).fill(-1), b: new Float32Array(6).fill(2.5) });
    expect(adapterDigest({ ...adapter, tensors: other })).not.toBe(digest);
  });

  it.each([
    [{ peft_type: 'IA3' }, /peft_type is "IA3", only LORA/],
    [{ use_rslora: true }, /use_rslora/],
    [{ use_dora: true }, /use_dora/],
    [{ alpha_pattern: { q_proj: 3 } }, /alpha_pattern/],
    [{ bias: 'all' }, /biases/],
    [{ r: 0 }, /rank r is 0/],
    [{ r: 3 }, /rank 3 was expected/],
    [{ lora_alpha: 'x' }, /lora_alpha is "x"/],
  ])('is refused with %j, which would be served wrongly', async (change, message) => {
    const file = path.join(dir, 'adapter_config.json');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }));
    await expect(readAdapter(dir)).rejects.toThrow(message);
  });

  it('is refused with half a pair, a foreign tensor, or no config', async () => {
    const prefix = 'base_model.model.m.q_proj';
    const a = { name: `${prefix}.lora_A.weight`, shape: [2, 1], data: new Float32Array(2) };
    await writeSafetensors(weightFile, [a]);
    await expect(readAdapter(dir)).rejects.toThrow(/`m\.q_proj` has only one of lora_A and lora_B/);
    await writeSafetensors(weightFile, [{ ...a, name: 'base_model.model.lm_head.weight' }]);
    await expect(readAdapter(dir)).rejects.toThrow(/`base_model\.model\.lm_head\.weight` is no LoRA factor/);
    rmSync(path.join(dir, 'adapter_config.json'));
    await expect(readAdapter(dir)).rejects.toThrow(/adapter_config\.json cannot be read/);
  });
});

it('names base and adapter together in a fingerprint', () => {
  const base = weightsDigest('base', null);
  expect(base).toMatch(/^fp_[0-9a-f]{16}$/);
  expect(
    new Set([base, weightsDigest('base', 'a'), weightsDigest('base', 'b'), weightsDigest('other', 'a')]).size,
  ).toBe(4);
});
