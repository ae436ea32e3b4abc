import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { countParameters, readModelFolder, writeModelFolder, type Tensor } from './model-folder.js';
import { writeSafetensors } from './safetensors/write.js';

const root = mkdtempSync(path.join(tmpdir(), 'attune models '));
afterAll(() => rmSync(root, { recursive: true }));
const dir = path.join(root, 'tiny llama');
const stories = path.resolve(import.meta.dirname, '../../../../shared/data/weights/stories260K/hf');

const config = { architectures: ['NeverHeardOfForCausalLM'], hidden_size: 2 };
const tensors = new Map<string, Tensor>([
  ['model.embed_tokens.weight', { shape: [3, 2], data: new Float32Array([1, 2, 3, 4, 5, 0.1]) }],
  ['model.norm.weight', { shape: [2], data: new Float32Array([1, 1]) }],
]);

beforeEach(async () => {
  await writeModelFolder(dir, { config, tensors, files: { 'tokenizer.json': '{}' } });
});

describe('a model folder', () => {
  it('gives back config and weights, and passes an unknown architecture on', async () => {
    const model = await readModelFolder(dir);
    expect(model.config).toEqual(config);
    expect([...model.names].sort()).toEqual([...tensors.keys()]);
    expect(model.tensor('model.embed_tokens.weight')).toEqual(tensors.get('model.embed_tokens.weight'));
    expect(model.has('lm_head.weight')).toBe(false);
    expect(countParameters(model)).toBe(8);
  });

  it('reads shards by their index', async () => {
    rmSync(path.join(dir, 'model.safetensors'));
    const weight_map: Record<string, string> = {};
    let shard = 0;
    for (const [name, tensor] of tensors) {
      weight_map[name] = `model-0000${++shard}-of-00002.safetensors`;
      await writeSafetensors(path.join(dir, weight_map[name]), [{ name, ...tensor }]);
    }
    writeFileSync(path.join(dir, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
    const sharded = await readModelFolder(dir);
    for (const [name, tensor] of tensors) expect(sharded.tensor(name)).toEqual(tensor);
    rmSync(path.join(dir, 'model-00002-of-00002.safetensors'));
    await expect(readModelFolder(dir)).rejects.toThrow(/names model-00002-of-00002\.safetensors, not there/);
  });

  it('stores half precision when asked', async () => {
    await writeModelFolder(dir, { config, tensors, dtype: 'F16' });
    const { data } = (await readModelFolder(dir)).tensor('model.embed_tokens.weight');
    expect([...data]).toEqual([1, 2, 3, 4, 5, 0.0999755859375]);
  });

  it('has one digest for one content, and another after any change', async () => {
    const { digest } = await readModelFolder(dir);
    cpSync(dir, path.join(root, 'copy'), { recursive: true });
    expect((await readModelFolder(path.join(root, 'copy'))).digest).toBe(digest);
    await writeModelFolder(dir, { config: { ...config, rope_theta: 1 }, tensors });
    expect((await readModelFolder(dir)).digest).not.toBe(digest);
    const changed = new Map(tensors).set('model.norm.weight', { shape: [2], data: new Float32Array([1, 2]) });
    await writeModelFolder(dir, { config, tensors: changed });
    expect((await readModelFolder(dir)).digest).not.toBe(digest);
  });

  it('remembers digests outside the folder, and notices a file of the same size that was replaced', async () => {
    const digestCache = path.join(root, 'cache');
    const { digest } = await readModelFolder(dir, { digestCache });
    expect((await readModelFolder(dir, { digestCache })).digest).toBe(digest);
    expect(readdirSync(digestCache)).toHaveLength(1);
    expect(readdirSync(dir).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    const changed = new Map(tensors).set('model.norm.weight', { shape: [2], data: new Float32Array([1, 2]) });
    await writeModelFolder(dir, { config, tensors: changed });
    expect((await readModelFolder(dir, { digestCache })).digest).not.toBe(digest);
    writeFileSync(path.join(digestCache, readdirSync(digestCache)[0]), '{"cut');
    expect((await readModelFolder(dir, { digestCache })).digest).toBe((await readModelFolder(dir)).digest);
  });

  it.each([
    ['a folder that is not there', () => rmSync(dir, { recursive: true }), /does not exist; set MODEL/],
    ['no config.json', () => rmSync(path.join(dir, 'config.json')), /it has no config\.json/],
    ['a config.json cut short', () => truncateSync(path.join(dir, 'config.json'), 5), /config\.json is not JSON/],
    ['no weights', () => rmSync(path.join(dir, 'model.safetensors')), /neither model\.safetensors nor/],
    ['weights cut short', () => truncateSync(path.join(dir, 'model.safetensors'), 250), /safetensors is damaged/],
    [
      'pickled weights only',
      () => {
        rmSync(path.join(dir, 'model.safetensors'));
        writeFileSync(path.join(dir, 'pytorch_model.bin'), '');
      },
      /pytorch_model\.bin; convert them to safetensors/,
    ],
    [
      'an index that points outside',
      () => {
        rmSync(path.join(dir, 'model.safetensors'));
        writeFileSync(path.join(dir, 'model.safetensors.index.json'), '{"weight_map":{"w":"../../secret"}}');
      },
      /not in the folder itself/,
    ],
  ])('says in one sentence what is wrong with %s', async (_, harm, message) => {
    harm();
    await expect(readModelFolder(dir)).rejects.toThrow(message);
  });

  it('names folder and tensor when one is missing', async () => {
    const model = await readModelFolder(dir);
    expect(() => model.tensor('lm_head.weight')).toThrow(
      /tiny llama cannot be used: it has no tensor `lm_head\.weight`/,
    );
  });

  it('leaves the old folder when writing the new one fails', async () => {
    const { digest } = await readModelFolder(dir);
    const wrong = new Map([['w', { shape: [3], data: new Float32Array(2) }]]);
    await expect(writeModelFolder(dir, { config, tensors: wrong })).rejects.toThrow(/needs 3 elements, got 2/);
    expect((await readModelFolder(dir)).digest).toBe(digest);
    expect(readdirSync(root).filter((entry) => entry.endsWith('.tmp'))).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('says when it may not write', async () => {
    const locked = path.join(root, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    await expect(writeModelFolder(path.join(locked, 'm'), { config, tensors })).rejects.toThrow(/may not write there/);
  });

  it.skipIf(!existsSync(stories))('reads a trained model of the field (skipped without ../shared/data)', async () => {
    const model = await readModelFolder(stories);
    expect(countParameters(model)).toBe(260_032);
    expect(model.tensor('model.layers.4.mlp.down_proj.weight').shape).toEqual([64, 172]);
  });
});
