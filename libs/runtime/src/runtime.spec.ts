import { add, encodeModel, Graph, matmul } from '@attune/graph';
import { CancelledError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { createRuntime, float32, int64, type Runtime } from './index.js';

/** y = x · w + b, z = x + x; symbolic rows; `w` supplied by the session's creator. */
function linearModel(): Uint8Array {
  const g = new Graph('linear');
  const x = g.input('x', 'float32', ['N', 3]);
  const b = g.input('b', 'float32', [2]);
  g.output('y', add(g, matmul(g, x, g.initializer('w', 'float32', [3, 2])), b));
  g.output('z', add(g, x, x));
  return encodeModel(g);
}

/** A chain of `depth` square matmuls: slow enough to cancel. */
function slowModel(depth: number, size: number): Uint8Array {
  const g = new Graph('slow');
  let x = g.input('x', 'float32', [size, size]);
  const w = g.input('w', 'float32', [size, size]);
  for (let i = 0; i < depth; i++) x = matmul(g, x, w);
  g.output('y', x);
  return encodeModel(g);
}

const w = float32([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
const runtimes: [string, () => Runtime][] = [
  ['capi', () => createRuntime({ prefer: 'capi', threads: 1 })],
  ['binding', () => createRuntime({ prefer: 'binding', threads: 1 })],
];

describe.each(runtimes)('the %s runtime', (_, runtime) => {
  it('writes into the given outputs, for every shape, blocking or not', async () => {
    const session = await runtime().createSession(linearModel(), { initializers: { w } });
    expect(session.inputNames).toEqual(['x', 'b']);
    expect(session.outputNames.toSorted()).toEqual(['y', 'z']);
    const b = float32([2], Float32Array.of(10, 20));
    for (const rows of [1, 3]) {
      const x = float32([rows, 3], new Float32Array(rows * 3).fill(1));
      const y = float32([rows, 2]);
      await session.run({ x, b }, { y });
      expect([...y.data]).toEqual(Array.from({ length: rows }, () => [19, 32]).flat());
      x.data.fill(2);
      session.runSync({ x, b }, { y });
      expect([...y.data]).toEqual(Array.from({ length: rows }, () => [28, 44]).flat());
    }
    session.release();
  });

  it('sees new values in the tensors of a bound run', async () => {
    const session = await runtime().createSession(linearModel(), { initializers: { w } });
    const [x, b, y, z] = [float32([1, 3]), float32([2]), float32([1, 2]), float32([1, 3])];
    const bound = session.bind({ x, b }, { y, z });
    for (const value of [1, 2, 3]) {
      x.data.fill(value);
      await bound.run();
      expect([...y.data, ...z.data]).toEqual([9 * value, 12 * value, 2 * value, 2 * value, 2 * value]);
    }
    session.release();
  });

  it('accepts an empty dimension, as a rank-0 adapter has', async () => {
    const g = new Graph('lowrank');
    const x = g.input('x', 'float32', [1, 2]);
    const down = matmul(g, x, g.input('a', 'float32', [2, 'r']));
    g.output('y', add(g, x, matmul(g, down, g.input('b', 'float32', ['r', 2]))));
    const session = await runtime().createSession(encodeModel(g));
    const y = float32([1, 2]);
    await session.run({ x: float32([1, 2], Float32Array.of(3, 4)), a: float32([2, 0]), b: float32([0, 2]) }, { y });
    expect([...y.data]).toEqual([3, 4]);
    session.release();
  });

  it('says what the graph complained about', async () => {
    const session = await runtime().createSession(linearModel(), { initializers: { w } });
    const wrong = { x: float32([1, 4]), b: float32([2]) };
    await expect(session.run(wrong, { y: float32([1, 2]) })).rejects.toThrow(/could not run the graph: .*dimension/s);
    session.release();
    await expect(runtime().createSession(new Uint8Array([1, 2, 3]))).rejects.toThrow(/could not load the graph/);
  });

  it('can be released while a run is under way', async () => {
    const session = await runtime().createSession(slowModel(40, 128));
    const y = float32([128, 128]);
    const x = float32([128, 128], new Float32Array(128 * 128).fill(1 / 128));
    const run = session.run({ x, w: x }, { y });
    session.release();
    await run;
    expect(y.data[0]).toBeCloseTo(1 / 128);
    await expect(session.run({ x, w: x }, { y })).rejects.toThrow(/was released/);
  });

  it('refuses a run that is already cancelled', async () => {
    const session = await runtime().createSession(linearModel(), { initializers: { w } });
    const inputs = { x: float32([1, 3]), b: float32([2]) };
    const run = session.run(inputs, { y: float32([1, 2]) }, { signal: AbortSignal.abort() });
    await expect(run).rejects.toThrow(CancelledError);
    session.release();
  });
});

describe('the C API', () => {
  const runtime = () => createRuntime({ prefer: 'capi', threads: 1 });

  it('cancels a run that is under way, and the session goes on', async () => {
    const size = 384;
    const session = await runtime().createSession(slowModel(300, size));
    const x = float32([size, size], new Float32Array(size * size).fill(1 / size));
    const y = float32([size, size]);
    const abort = new AbortController();
    const run = session.run({ x, w: x }, { y }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(run).rejects.toThrow(CancelledError);
    expect(y.data[0]).toBe(0);
    await session.run({ x, w: x }, { y });
    expect(y.data[0]).toBeCloseTo(1 / size);
    session.release();
  });

  it('updates a tensor that is input and output at once', async () => {
    const g = new Graph('in place');
    const state = g.input('state', 'float32', [4]);
    g.output('next', add(g, state, state));
    const session = await runtime().createSession(encodeModel(g));
    const tensor = float32([4], Float32Array.of(1, 2, 3, 4));
    const bound = session.bind({ state: tensor }, { next: tensor });
    for (let i = 0; i < 3; i++) await bound.run();
    expect([...tensor.data]).toEqual([8, 16, 24, 32]);
    session.release();
  });

  it('uses the initializers where they are: an edit shows in the next run', async () => {
    const mine = float32([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
    const options = { initializers: { w: mine }, disablePrepacking: true };
    const session = await runtime().createSession(linearModel(), options);
    const [x, b, y] = [float32([1, 3], Float32Array.of(1, 1, 1)), float32([2]), float32([1, 2])];
    session.runSync({ x, b }, { y });
    mine.data.fill(7);
    expect([...y.data]).toEqual([9, 12]);
    session.runSync({ x, b }, { y });
    expect([...y.data]).toEqual([21, 21]);
    session.release();
  });

  it('repacks the weights that two sessions have in common once', async () => {
    const size = 1024;
    const g = new Graph('square');
    const x = g.input('x', 'float32', ['N', size]);
    const names = Array.from({ length: 12 }, (_, i) => `w${i}`);
    g.output(
      'y',
      names.reduce((y, name) => matmul(g, y, g.initializer(name, 'float32', [size, size])), x),
    );
    const model = encodeModel(g);
    const noise = (seed: number) => Float32Array.from({ length: size * size }, (_, i) => Math.sin(i + 7 * seed) / size);
    const initializers = Object.fromEntries(names.map((name, i) => [name, float32([size, size], noise(i))]));
    const capi = runtime();
    const memory = () => (capi.trimMemory(), process.memoryUsage().rss);
    const shared = capi.shareWeights();
    const sessions = [await capi.createSession(model, { initializers, shared })];
    const before = memory();
    sessions.push(await capi.createSession(model, { initializers, shared }));
    expect(memory() - before).toBeLessThan(12 * size * size); // a quarter of the weights
    const results = sessions.map((session) => {
      const y = float32([1, size]);
      session.runSync({ x: float32([1, size], new Float32Array(size).fill(1)) }, { y });
      session.release();
      return [...y.data.subarray(0, 9)];
    });
    expect(results[0]).toEqual(results[1]);
    expect(results[0]!.some((value) => value !== 0)).toBe(true);
  });

  it('survives many runs whose tensors are dropped at once', async () => {
    const session = await runtime().createSession(linearModel(), { initializers: { w } });
    const results = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const y = float32([1, 2]);
        await session.run({ x: float32([1, 3], Float32Array.of(i, 0, 0)), b: float32([2]) }, { y });
        return y.data[0];
      }),
    );
    expect(results).toEqual(Array.from({ length: 200 }, (_, i) => i));
    session.release();
  });
});

it('rejects tensor data that do not fit', () => {
  expect(() => float32([2, 2], new Float32Array(3))).toThrow(/needs 4 elements in a Float32Array, but got 3/);
  expect(() => int64([1], Int32Array.of(1) as never)).toThrow(/needs 1 elements in a BigInt64Array/);
});
