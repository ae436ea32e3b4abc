import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileMemory, openSafetensors, readSafetensors } from './read.js';
import { writeSafetensors, type TensorToWrite } from './write.js';

const folder = mkdtempSync(path.join(tmpdir(), 'attune safetensors '));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'model.safetensors');

const tensors: TensorToWrite[] = [
  { name: 'bytes', shape: [3], data: new Uint8Array([1, 2, 255]) },
  { name: 'small', shape: [2], data: new Int8Array([-128, 127]) },
  { name: 'weights', shape: [2, 2], data: new Float32Array([1, -2.5, 3e-20, 0]) },
  { name: 'half', shape: [3], data: new Float32Array([1, 1 / 3, 70_000]), dtype: 'F16' },
  { name: 'brain', shape: [2], data: new Float32Array([1, 1 / 3]), dtype: 'BF16' },
  { name: 'ids', shape: [2], data: new BigInt64Array([-1n, 2n ** 40n]) },
  { name: 'double', shape: [], data: new Float64Array([Math.PI]) },
  { name: 'empty', shape: [0, 4], data: new Float32Array(0) },
];

describe('a safetensors file', () => {
  it('gives back what was written, by name, shape and type', async () => {
    await writeSafetensors(file, tensors, { note: 'ä' });
    const read = openSafetensors(file);
    expect(read.metadata).toEqual({ note: 'ä' });
    for (const { name, shape, data, dtype } of tensors) {
      expect(read.tensors.get(name)?.shape).toEqual(shape);
      if (!dtype) expect(read.raw(name)).toEqual(data);
    }
    expect([...read.float32('half')]).toEqual([1, 0.333251953125, Infinity]);
    expect([...read.float32('brain')]).toEqual([1, 0.333984375]);
    expect([...read.float32('double')]).toEqual([Math.fround(Math.PI)]);
  });

  it('aligns every tensor to its element size, as readers that map the file need', async () => {
    await writeSafetensors(file, tensors);
    for (const { name, offset, dtype } of openSafetensors(file).tensors.values()) {
      const width = { F64: 8, I64: 8, F32: 4, F16: 2, BF16: 2 }[dtype as string] ?? 1;
      expect(`${name} ${offset % width}`).toBe(`${name} 0`);
    }
  });

  it('converts tensors larger than one chunk without a seam', async () => {
    const data = Float32Array.from({ length: 5_000_003 }, (_, index) => index % 2048);
    await writeSafetensors(file, [{ name: 'long', shape: [data.length], data, dtype: 'F16' }]);
    expect(Buffer.compare(Buffer.from(openSafetensors(file).float32('long').buffer), Buffer.from(data.buffer))).toBe(0);
  });

  it('reads a file as the reference library writes it', () => {
    const header = '{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}    ';
    writeRaw(header, Buffer.from([0x80, 0x3f, 0x00, 0xc0]));
    expect([...openSafetensors(file).float32('b')]).toEqual([1, -2]);
  });

  it('gives the same when it is read whole, into memory that held another file', async () => {
    const memory = new FileMemory();
    await writeSafetensors(file, [{ name: 'other', shape: [500], data: new Float32Array(500).fill(7) }]);
    expect([...readSafetensors(file, memory).float32('other')]).toEqual(Array(500).fill(7));
    await writeSafetensors(file, tensors);
    const [whole, opened] = [readSafetensors(file, memory), openSafetensors(file)];
    for (const { name } of tensors) expect(whole.raw(name)).toEqual(opened.raw(name));
    for (const name of ['weights', 'half', 'brain', 'double', 'empty'])
      expect(whole.float32(name)).toEqual(opened.float32(name));
    expect(whole.raw('weights').buffer).toBe(whole.raw('ids').buffer);
    expect(() => whole.float32('ids')).toThrow(/Tensor `ids` of .* is stored as I64/);
    truncateSync(file, 40);
    expect(() => readSafetensors(file, memory)).toThrow(/safetensors/);
  });

  it('keeps no memory of a large file', () => {
    const memory = new FileMemory();
    const [small, large] = [memory.take(1000), memory.take((64 << 20) + 1)];
    expect(large.byteLength).toBe((64 << 20) + 1);
    expect(memory.take(1000).buffer).toBe(small.buffer);
    expect(memory.take(64 << 20).buffer.byteLength).toBe(64 << 20);
  });

  it('takes elements that stand where no view may begin', () => {
    const header = '{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    writeRaw(header.padEnd(57), Buffer.from(Float32Array.of(3, -4).buffer));
    expect([...readSafetensors(file, new FileMemory()).float32('b')]).toEqual([3, -4]);
  });

  it('refuses integers as weights and names the tensor', async () => {
    await writeSafetensors(file, tensors);
    expect(() => openSafetensors(file).float32('ids')).toThrow(/Tensor `ids` of .* is stored as I64/);
    expect(() => openSafetensors(file).raw('none')).toThrow(/has no tensor `none`/);
  });

  it.each([0, 7, 20, 400, 4096])('says that a file cut at %i bytes is damaged', async (length) => {
    await writeSafetensors(file, [{ name: 'w', shape: [1024], data: new Float32Array(1024) }]);
    truncateSync(file, length);
    expect(() => openSafetensors(file)).toThrow(/model\.safetensors is damaged: .*; download or write it again/);
  });

  it('names the tensor a cut file ends in', async () => {
    await writeSafetensors(file, [{ name: 'w', shape: [1024], data: new Float32Array(1024) }]);
    truncateSync(file, readFileSync(file).length - 1);
    expect(() => openSafetensors(file)).toThrow(/inside tensor `w`/);
  });

  it.each([
    ['not json', 0, /not a JSON object/],
    ['[1]', 0, /not a JSON object/],
    ['{"w":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}', 4, /`w` has the unknown type "F31"/],
    ['{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4, /`w` has the shape \[-1\]/],
    ['{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4, /`w` has the offsets/],
    ['{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4, /`w` \(F32 \[2\]\) takes 8 bytes but has 4/],
    ['{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8, /`w` starts at byte/],
    [
      '{"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"v":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}',
      6,
      /`v` starts at byte/,
    ],
    ['{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 5, /1 bytes follow the last tensor/],
  ])('refuses the header %s', (header, dataBytes, message) => {
    writeRaw(header, Buffer.alloc(dataBytes));
    expect(() => openSafetensors(file)).toThrow(message);
  });

  it('refuses a header length beyond the file', () => {
    writeFileSync(file, Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 1, 2, 3]));
    expect(() => openSafetensors(file)).toThrow(/header claims/);
  });
});

function writeRaw(header: string, data: Buffer): void {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  writeFileSync(file, Buffer.concat([length, Buffer.from(header), data]));
}
