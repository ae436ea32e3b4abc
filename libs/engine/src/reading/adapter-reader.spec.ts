import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LowRankWeights, readAdapter, writeAdapter } from '@attune/checkpoint';
import { linearShapes, parseModelConfig } from '@attune/models';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { layOut, memoryOf } from '../adapters-prepared.js';
import { AdapterReader } from './adapter-reader.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  vocab_size: 8,
});

let folder: string;
let reader: AdapterReader;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'attune reader '));
  reader = new AdapterReader(config);
});
afterEach(async () => {
  await reader.close();
  await rm(folder, { recursive: true, force: true });
});

/** A rank-2 update of every linear layer whose numbers count up from `first`. */
async function write(name: string, first: number): Promise<string> {
  let next = first;
  const numbers = (size: number) => Float32Array.from({ length: size }, () => next++);
  const tensors: LowRankWeights['tensors'] = new Map(
    [...linearShapes(config, 1)].map(([module, [out, width]]) => [
      module,
      { a: numbers(2 * width), b: numbers(out * 2) },
    ]),
  );
  const place = path.join(folder, name);
  await writeAdapter(place, { rank: 2, alpha: 4, tensors });
  return place;
}

it('lays out on its thread what would be laid out here, several at once', async () => {
  const places = [await write('a', 0), await write('b', 0.5)];
  const got = await Promise.all(places.map((place) => reader.read(place)));
  for (const [i, place] of places.entries()) expect(got[i]).toEqual(layOut(config, await readAdapter(place)));
  expect(got[0]!.digest).not.toBe(got[1]!.digest);
});

it('lays out the next adapter in the memory of one that was given back, and leaves alone what it did not read', async () => {
  const places = [await write('a', 0), await write('b', 0.5), await write('c', -7)];
  const wanted = [];
  for (const place of places) wanted.push(layOut(config, await readAdapter(place)));
  const [first, second] = [await reader.read(places[0]!), await reader.read(places[1]!)];
  reader.giveBack(first);
  expect(memoryOf(first).byteLength).toBe(0); // it is where it is written to
  expect(await reader.read(places[2]!)).toEqual(wanted[2]);
  expect(second).toEqual(wanted[1]);
  reader.giveBack(wanted[0]!);
  expect(memoryOf(wanted[0]!).byteLength).toBeGreaterThan(0);
});

it('says why an adapter cannot be used, in the kind of error it is, and reads the next one', async () => {
  await expect(reader.read(path.join(folder, 'nothing'))).rejects.toMatchObject({ kind: 'invalid_request' });
  const damaged = await write('damaged', Infinity);
  await expect(reader.read(damaged)).rejects.toMatchObject({ kind: 'invalid_request', message: /not finite/ });
  await writeFile(path.join(damaged, 'adapter_model.safetensors'), 'cut');
  await expect(reader.read(damaged)).rejects.toMatchObject({ kind: 'invalid_request' });
  expect(await reader.read(await write('good', 1))).toMatchObject({ kind: 'lora' });
});

it('fails what it was reading when it is ended, and starts again when it is asked again', async () => {
  const place = await write('a', 0);
  const reading = reader.read(place);
  const failed = expect(reading).rejects.toMatchObject({ kind: 'unavailable' });
  await reader.close();
  await failed;
  expect(await reader.read(place)).toMatchObject({ kind: 'lora' });
});
