import { openSafetensors } from '@attune/checkpoint';
import type { HostTensor } from '@attune/runtime';
import { type Parameter, parameter, type ParameterSet, type TokenBatch } from '@attune/training';
import { fileURLToPath } from 'node:url';

/** One file of frozen reference values, see make_fixtures.py. */
export interface Fixture<Facts> {
  readonly facts: Facts;
  readonly names: readonly string[];
  floats(name: string): Float32Array;
  /** A float tensor with its shape, ready to be fed. */
  tensor(name: string): HostTensor;
  integers(name: string): number[];
  /** Every tensor below a prefix, as parameters without it. */
  parameters(prefix: string): ParameterSet;
}

export function openFixture<Facts>(name: string): Fixture<Facts> {
  const file = openSafetensors(fileURLToPath(new URL(`./fixtures/${name}.safetensors`, import.meta.url)));
  const shaped = (key: string): Parameter => parameter(file.tensors.get(key)!.shape, file.float32(key));
  return {
    facts: JSON.parse(file.metadata['facts']!) as Facts,
    names: [...file.tensors.keys()],
    floats: (key) => file.float32(key),
    tensor: shaped,
    integers: (key) => Array.from(file.raw(key), Number),
    parameters: (prefix) =>
      new Map(
        [...file.tensors.keys()]
          .filter((key) => key.startsWith(prefix))
          .map((key) => [key.slice(prefix.length), shaped(key)]),
      ),
  };
}

/** max |a − b| / max |b|: one number for a whole tensor. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let [difference, size] = [0, 1e-12];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(found[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return Number.isNaN(difference) ? Infinity : difference / size;
}

/** The batch of a model fixture: padded rows with their lengths, labels and weights. */
export function fixtureBatch(fixture: Fixture<unknown>): TokenBatch {
  const lengths = fixture.integers('lengths');
  const ids = fixture.integers('ids');
  const length = ids.length / lengths.length;
  const inside = (i: number) => i % length < lengths[Math.floor(i / length)]!;
  const perToken = (of: (i: number) => number) => BigInt64Array.from(ids, (_, i) => BigInt(of(i)));
  return {
    rows: lengths.length,
    length,
    ids: BigInt64Array.from(ids, BigInt),
    labels: BigInt64Array.from(fixture.integers('labels'), BigInt),
    weights: fixture.floats('weights_per_token'),
    positions: perToken((i) => (inside(i) ? i % length : 0)),
    segments: perToken((i) => (inside(i) ? 1 : 0)),
  };
}
