import { describe, expect, it } from 'vitest';
import type { AdapterInputs } from './adapter.js';
import { AdapterBank, type BankedSite, fillGate } from './adapter-bank.js';

/** Numbers in −1 … 1 (Lehmer's generator: this library may not import another's). */
function createRandom(seed: number): () => number {
  let state = seed + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 1_073_741_823.5 - 1;
}

const site = { name: 's', inSize: 3, outSize: 2 };

/** A random adapter of some width, as graph inputs. */
function adapter(seed: number, width: number): AdapterInputs {
  const next = createRandom(seed);
  const values = (size: number) => Float32Array.from({ length: size }, next);
  return {
    's.down': { dtype: 'float32', shape: [3, width], data: values(3 * width) },
    's.up': { dtype: 'float32', shape: [width, 2], data: values(2 * width) },
  };
}

/** x · down · up. */
function alone(x: readonly number[], inputs: AdapterInputs): number[] {
  const [down, up] = [inputs['s.down']!, inputs['s.up']!];
  const width = down.shape[1]!;
  const narrow = Array.from({ length: width }, (_, w) => x.reduce((sum, v, i) => sum + v * down.data[i * width + w]!, 0));
  return [0, 1].map((column) => narrow.reduce((sum, v, w) => sum + v * up.data[w * 2 + column]!, 0));
}

/** The same through a bank: all seats at once, and a gate over them. */
function banked(x: readonly number[], { width, down, up }: BankedSite, gate: Float32Array): number[] {
  const total = gate.length;
  const narrow = Array.from({ length: total }, (_, w) => gate[w]! * x.reduce((sum, v, i) => sum + v * down[w * 3 + i]!, 0));
  expect(total % Math.max(1, width)).toBe(0);
  return [0, 1].map((column) => narrow.reduce((sum, v, w) => sum + v * up[w * 2 + column]!, 0));
}

describe('a bank of adapters', () => {
  it('gives each row what its own adapter gives alone, whoever sat there before', () => {
    const bank = new AdapterBank([site]);
    const adapters = [2, 4, 1, 4, 3].map((width, seed) => adapter(seed, width));
    const next = createRandom(99);
    for (const group of [[0, 2], [2, 1, 0], [3], [4, 3], [0, 1, 2, 3, 4], [4], [1, 4]]) {
      const chosen = group.map((index) => adapters[index]!);
      const seats = bank.seat(chosen);
      expect([...seats].sort()).toEqual([...chosen.keys()]); // the first seats, each once
      const [found] = bank.sites(chosen.length) as [BankedSite];
      chosen.forEach((each, index) => {
        const gate = new Float32Array(chosen.length * found.width);
        fillGate(gate, [seats[index]!], chosen.length, found.width);
        const x = [next(), next(), next()];
        alone(x, each).forEach((want, column) => expect(banked(x, found, gate)[column]).toBeCloseTo(want, 5));
      });
    }
  });

  it('keeps who stays where it sits, and its arrays while they are wide enough', () => {
    const bank = new AdapterBank([site]);
    const [a, b, c] = [adapter(1, 4), adapter(2, 4), adapter(3, 2)];
    const [, seatOfB] = bank.seat([a!, b!]);
    const { version } = bank;
    expect(bank.seat([c!, b!])[1]).toBe(seatOfB);
    expect(bank.version).toBe(version);
    bank.seat([a!, adapter(4, 8)]);
    expect(bank.version).toBeGreaterThan(version);
  });

  it('lets nothing through to a row without an adapter', () => {
    const gate = new Float32Array(12).fill(7);
    fillGate(gate, [1, null, 0], 2, 2);
    expect([...gate]).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0]);
  });
});
