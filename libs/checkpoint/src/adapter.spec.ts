import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readAdapter, writeAdapter } from './adapter.js';
import {
  adapterDigest,
  type BottleneckWeights,
  isFiniteAdapter,
  type LowRankWeights,
  type SoftPromptWeights,
} from './adapter-kinds.js';
import { weightsDigest } from './digest.js';
import { openSafetensors } from './safetensors/read.js';
import { writeSafetensors } from './safetensors/write.js';

const dir = mkdtempSync(path.join(tmpdir(), 'attune adapter '));
afterAll(() => rmSync(dir, { recursive: true }));
const weightFile = path.join(dir, 'adapter_model.safetensors');

const adapter: LowRankWeights = {
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
    expect(new Map([...(read as LowRankWeights).tensors].sort())).toEqual(new Map([...adapter.tensors].sort()));
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
    [{ lora_bias: true }, /lora_bias/],
    [{ target_modules: ['q_proj', 'v_proj'] }, /target_modules name "v_proj", which has no factors/],
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

describe('rank-stabilised LoRA', () => {
  it('is read as the larger alpha it amounts to', async () => {
    const file = path.join(dir, 'adapter_config.json');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), use_rslora: true }));
    const { alpha, rank } = (await readAdapter(dir)) as LowRankWeights;
    expect(alpha / rank).toBeCloseTo(4 / Math.sqrt(2), 12);
  });
});

describe('a soft prompt on disk', () => {
  const soft: SoftPromptWeights = {
    kind: 'soft-prompt',
    numTokens: 3,
    embeddings: new Float32Array([1, 2, 3, 4, 5, 6]),
  };
  beforeEach(() => writeAdapter(dir, { ...soft, baseModel: 'attune-mini' }));

  it('is laid out as PEFT lays out prompt tuning, and comes back', async () => {
    const { tensors } = openSafetensors(weightFile);
    expect([...tensors.values()].map(({ name, shape }) => [name, shape])).toEqual([['prompt_embeddings', [3, 2]]]);
    expect(JSON.parse(readFileSync(path.join(dir, 'adapter_config.json'), 'utf8'))).toMatchObject({
      peft_type: 'PROMPT_TUNING',
      num_virtual_tokens: 3,
      token_dim: 2,
    });
    expect(await readAdapter(dir)).toEqual({
      ...soft,
      digest: adapterDigest(soft),
      targets: [],
      baseModel: 'attune-mini',
    });
  });

  it('is refused when the tensor is not what the config says', async () => {
    await writeSafetensors(weightFile, [{ name: 'prompt_embeddings', shape: [2, 2], data: new Float32Array(4) }]);
    await expect(readAdapter(dir)).rejects.toThrow(/\[2, 2\], 3 virtual tokens were expected/);
    await writeSafetensors(weightFile, [{ name: 'other', shape: [2, 2], data: new Float32Array(4) }]);
    await expect(readAdapter(dir)).rejects.toThrow(/must hold the tensor `prompt_embeddings`/);
  });
});

describe('adapter layers on disk', () => {
  const layers: BottleneckWeights = {
    kind: 'bottleneck',
    size: 2,
    tensors: new Map([
      ['model.layers.0.self_attn', { down: new Float32Array(6).fill(1), up: new Float32Array(6).fill(2) }],
      ['model.layers.0.mlp', { down: new Float32Array(6).fill(3), up: new Float32Array(6).fill(4) }],
    ]),
  };
  beforeEach(() => writeAdapter(dir, layers));

  it('come back with the digest they had in memory', async () => {
    const read = await readAdapter(dir);
    expect(read).toMatchObject({ kind: 'bottleneck', size: 2, targets: ['mlp', 'self_attn'], baseModel: null });
    expect(read.digest).toBe(adapterDigest(layers));
    expect(isFiniteAdapter(read)).toBe(true);
    layers.tensors.get('model.layers.0.mlp')!.up[1] = NaN;
    expect(isFiniteAdapter(layers)).toBe(false);
    layers.tensors.get('model.layers.0.mlp')!.up[1] = 4;
  });

  it('are refused with another activation or half a layer', async () => {
    const file = path.join(dir, 'adapter_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...config, non_linearity: 'relu' }));
    await expect(readAdapter(dir)).rejects.toThrow(/"relu", only "silu"/);
    writeFileSync(file, JSON.stringify(config));
    const name = 'base_model.model.model.layers.0.mlp.adapter_down.weight';
    await writeSafetensors(weightFile, [{ name, shape: [2, 3], data: new Float32Array(6) }]);
    await expect(readAdapter(dir)).rejects.toThrow(/only one of adapter_down and adapter_up/);
  });
});

it('names base and adapter together in a fingerprint', () => {
  const base = weightsDigest('base', null);
  expect(base).toMatch(/^fp_[0-9a-f]{16}$/);
  expect(
    new Set([base, weightsDigest('base', 'a'), weightsDigest('base', 'b'), weightsDigest('other', 'a')]).size,
  ).toBe(4);
});
