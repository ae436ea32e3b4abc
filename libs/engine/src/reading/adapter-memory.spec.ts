import { expect, it } from 'vitest';
import { AdapterMemory } from './adapter-memory.js';

const buffers = (...arrays: Float32Array[]) => arrays.map(({ buffer }) => buffer as ArrayBuffer);

it('gives again what it was given, where it is large enough and not far too large', () => {
  const memory = new AdapterMemory();
  const [small, large] = buffers(memory.take(10), memory.take(100)) as [ArrayBuffer, ArrayBuffer];
  for (const each of [small, large]) memory.give(each);
  expect(memory.take(60).buffer).toBe(large);
  expect(memory.take(4).buffer).not.toBe(small);
  const again = memory.take(9);
  expect(again.buffer).toBe(small);
  expect(again.length).toBe(9);
  expect(memory.take(10).buffer).not.toBe(small); // it is in use
});

it('keeps a few of the latest, and not much', () => {
  const memory = new AdapterMemory();
  const all = buffers(...Array.from({ length: 5 }, () => memory.take(10)));
  for (const each of all) memory.give(each);
  const taken = buffers(...all.map(() => memory.take(10)));
  expect(all.filter((each) => taken.includes(each))).toEqual(all.slice(1));
  const large = Array.from({ length: 2 }, () => new ArrayBuffer(40 << 20));
  for (const each of large) memory.give(each);
  const half = (40 << 20) / 4;
  expect(
    [memory.take(half).buffer, memory.take(half).buffer].map((each) => large.indexOf(each as ArrayBuffer)),
  ).toEqual([1, -1]);
});
