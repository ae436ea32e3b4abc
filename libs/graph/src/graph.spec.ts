import { createRuntime, float32, type HostTensor } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import * as op from './index.js';
import { Graph, type Tensor } from './index.js';

const runtime = createRuntime({ threads: 1 });
const floats = (shape: readonly number[], data?: readonly number[]) => float32(shape, data && Float32Array.from(data));

/** Runs a graph of one output `y` and returns its values. */
async function run(
  g: Graph,
  inputs: Readonly<Record<string, HostTensor>>,
  y: ReturnType<typeof floats>,
): Promise<number[]> {
  const session = await runtime.createSession(op.encodeModel(g), { graphOptimization: 'basic' });
  await session.run(inputs, { y });
  session.release();
  return [...y.data];
}

describe('a graph', () => {
  it('resolves symbolic reshapes from its inputs, in one session for every size', async () => {
    const g = new Graph('split');
    const x = g.input('x', 'float32', ['B', 'T', 6]);
    const rows = op.reshape(g, x, ['B*T', 6]);
    const split = op.reshape(g, rows, ['B', 'T', 2, 3]);
    expect(split.shape).toEqual(['B', 'T', 2, 3]);
    g.output('y', op.transpose(g, split, [0, 2, 1, 3]));
    const session = await runtime.createSession(op.encodeModel(g));
    for (const [batch, time] of [
      [1, 2],
      [2, 3],
    ] as const) {
      const values = Array.from({ length: batch * time * 6 }, (_, i) => i);
      const y = floats([batch, 2, time, 3]);
      await session.run({ x: floats([batch, time, 6], values) }, { y });
      expect(y.data[3]).toBe(time > 1 ? 6 : 3);
      expect([...y.data].sort((a, b) => a - b)).toEqual(values);
    }
  });

  it('infers -1 and refuses a reshape that changes the number of elements', () => {
    const g = new Graph('reshape');
    const x = g.input('x', 'float32', ['B', 4]);
    expect(op.reshape(g, x, [-1, 2]).shape).toEqual(['2*B', 2]);
    expect(() => op.reshape(g, x, ['B', 3])).toThrow('cannot reshape');
    expect(() => op.reshape(g, x, ['T', -1])).toThrow('cannot infer');
  });

  it('keeps only what its outputs need', () => {
    const g = new Graph('dead');
    const [used, unused] = [g.input('used', 'float32', [2]), g.input('unused', 'float32', [2])];
    op.exp(g, unused);
    g.output('y', op.neg(g, used));
    expect(op.usedInputs(g).map(({ name }) => name)).toEqual(['used']);
    expect(op.liveNodes(g).map((node) => node.op)).toEqual(['Neg']);
    expect(op.printGraph(g)).toContain('Neg(used)');
  });

  it('puts leaves last, the deepest first', () => {
    const g = new Graph('order');
    const x = g.input('x', 'float32', [2]);
    const shallow = op.neg(g, x);
    const deep = op.neg(g, op.exp(g, op.exp(g, x)));
    g.output('shallow', shallow);
    g.output('deep', deep);
    const order = op.memoryOrder(op.liveNodes(g)).map((node) => node.outputs[0]!.name);
    expect(order.slice(-2)).toEqual([deep.name, shallow.name]);
  });

  it('stores equal small constants once', () => {
    const g = new Graph('constants');
    expect(g.scalar(2)).toBe(g.scalar(2));
    expect(g.ints([1, 2])).toBe(g.ints([1, 2]));
    expect(g.ints([1])).not.toBe(g.scalar(1, 'int64'));
  });

  it('refuses two values of one name', () => {
    const g = new Graph('names');
    g.input('x', 'float32', [1]);
    expect(() => g.input('x', 'float32', [1])).toThrow('already has a value called "x"');
  });

  it('says which operator has no shape rule, and which symbol no input names', () => {
    const g = new Graph('errors');
    const x = g.input('x', 'float32', ['B']);
    expect(() => g.emit('NoSuchOperator', [x])).toThrow('NoSuchOperator');
    expect(() => g.size('Q')).toThrow('"Q"');
  });

  it('takes an initializer without data from whoever creates the session', async () => {
    const g = new Graph('external');
    const x = g.input('x', 'float32', [1, 2]);
    g.output('y', op.linear(g, x, g.initializer('w', 'float32', [2, 2])));
    const w = floats([2, 2], [1, 2, 3, 4]);
    const session = await runtime.createSession(op.encodeModel(g), { initializers: { w } });
    const y = floats([1, 2]);
    await session.run({ x: floats([1, 2], [1, 10]) }, { y });
    expect([...y.data]).toEqual([21, 43]);
  });
});

describe('operators', () => {
  const segments: Record<string, HostTensor> = {
    segments: { dtype: 'int64', shape: [1, 4], data: BigInt64Array.of(1n, 1n, 2n, 0n) },
    positions: { dtype: 'int64', shape: [1, 4], data: BigInt64Array.of(0n, 1n, 0n, 0n) },
  };

  it('mask other segments, later positions and padding', async () => {
    const g = new Graph('mask');
    const [s, p] = Object.keys(segments).map((name) => g.input(name, 'int64', ['B', 'T'])) as [Tensor, Tensor];
    g.output('y', op.segmentMask(g, s, p));
    const seen = (await run(g, segments, floats([1, 1, 4, 4]))).map((value) => (value === 0 ? 1 : 0));
    expect(seen).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
  });

  it('add updates at duplicate indices, all of them', async () => {
    const g = new Graph('scatter');
    const at = g.input('at', 'int64', ['N']);
    g.output('y', op.scatterAdd(g, op.zeros(g, [3]), at, op.filled(g, ['N'], 1), 0));
    const index: HostTensor = { dtype: 'int64', shape: [5], data: BigInt64Array.of(2n, 2n, 0n, 2n, 2n) };
    expect(await run(g, { at: index }, floats([3]))).toEqual([1, 0, 4]);
  });

  it('slice, pad and concatenate symbolic axes', async () => {
    const g = new Graph('axes');
    const x = g.input('x', 'float32', ['N', 2]);
    const doubled = op.concat(g, [x, op.neg(g, x)], 0);
    expect(doubled.shape).toEqual(['2*N', 2]);
    const second = op.slice(g, doubled, 0, 'N', '2*N');
    expect(second.shape).toEqual(['N', 2]);
    g.output('y', op.padAxis(g, second, 1, 1, 0));
    expect(await run(g, { x: floats([2, 2], [1, 2, 3, 4]) }, floats([2, 3]))).toEqual([0, -1, -2, 0, -3, -4]);
  });

  it('count in a range as long as a dim', async () => {
    const g = new Graph('range');
    const x = g.input('x', 'float32', ['N']);
    g.output('y', op.mul(g, x, op.cast(g, op.range(g, 'N'), 'float32')));
    expect(await run(g, { x: floats([3], [5, 5, 5]) }, floats([3]))).toEqual([0, 5, 10]);
  });
});
