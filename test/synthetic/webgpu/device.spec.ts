import { fileURLToPath } from 'node:url';
import { add, encodeModel, Graph, logSoftmax, matmul } from '@attune/graph';
import { UnavailableError } from '@attune/platform';
import { createRuntime, type Device, float32, type HostTensor } from '@attune/runtime';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { describeOnSwiftShader } from '../../support/swiftshader.js';

/** y = x · w + s over [N, 3] by [3, 2], `w` given to the session. */
function linearModel(): Uint8Array {
  const g = new Graph('linear');
  const product = matmul(g, g.input('x', 'float32', ['N', 3]), g.initializer('w', 'float32', [3, 2]));
  g.output('y', add(g, product, g.input('s', 'float32', ['N', 2])));
  return encodeModel(g);
}

const w = float32([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
const runtime = createRuntime({ prefer: 'capi', threads: 1 });

describeOnSwiftShader('a WebGPU device', fileURLToPath(import.meta.url), () => {
  let device: Device;
  beforeAll(async () => {
    device = await runtime.openDevice('webgpu');
  });
  afterEach(() => void (globalThis as { gc?: () => void }).gc?.());

  const open = () => runtime.createSession(linearModel(), { device, initializers: { w } });
  const fetch = async (from: Parameters<Device['copy']>[0]): Promise<number[]> => {
    const here = float32(from.shape);
    await device.copy(from, here);
    return [...here.data];
  };

  it('is opened once, and takes the initializers it is given', async () => {
    expect(await runtime.openDevice('webgpu')).toBe(device);
    const session = await open();
    const y = float32([1, 2]);
    await session.run({ x: float32([1, 3], Float32Array.of(1, 1, 1)), s: float32([1, 2]) }, { y });
    expect([...y.data]).toEqual([9, 12]);
    expect(session.leftToCpu()).toEqual({});
    session.release();
  });

  it('keeps a state in place from run to run, while inputs from the host are taken anew', async () => {
    const session = await open();
    const x = float32([1, 3]);
    const state = await device.tensor('float32', [1, 2], float32([1, 2], Float32Array.of(100, 200)));
    const bound = session.bind({ x, s: state }, { y: state });
    for (const value of [1, 2, 3]) {
      x.data.fill(value);
      if (value === 2) bound.runSync();
      else await bound.run();
    }
    expect(await fetch(state)).toEqual([100 + 6 * 9, 200 + 6 * 12]);
    session.release();
  });

  it('copies host to device, device to device and back, and only between like tensors', async () => {
    const values = float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    const [a, b] = [await device.tensor('float32', [2, 3], values), await device.tensor('float32', [2, 3])];
    device.copySync(a, b);
    expect(await fetch(b)).toEqual([1, 2, 3, 4, 5, 6]);
    await expect(device.copy(values, await device.tensor('float32', [3, 2]))).rejects.toThrow(
      /float32 \[2, 3\] tensor cannot be copied into a float32 \[3, 2\] one/,
    );
    await expect(device.tensor('float32', [2, 0])).rejects.toThrow(/no empty tensors/);
  });

  it('runs one thing at a time, over all sessions', async () => {
    const sessions = [await open(), await open()];
    const x = float32([1, 3], Float32Array.of(1, 1, 1));
    const results: HostTensor[] = [];
    const runs = Array.from({ length: 8 }, (_, i) => {
      const y = float32([1, 2]);
      results.push(y);
      return sessions[i % 2]!.run({ x, s: float32([1, 2], Float32Array.of(i, i)) }, { y });
    });
    expect(() => sessions[0]!.runSync({ x, s: float32([1, 2]) }, { y: float32([1, 2]) })).toThrow(/is busy/);
    await Promise.all(runs);
    expect(results.map(({ data }) => [...data])).toEqual(results.map((_, i) => [9 + i, 12 + i]));
    for (const session of sessions) session.release();
  });

  it('refuses tensors that were released', async () => {
    const session = await open();
    const state = await device.tensor('float32', [1, 2], float32([1, 2]));
    const bound = session.bind({ x: float32([1, 3]), s: state }, { y: state });
    await bound.run();
    state.release();
    await expect(bound.run()).rejects.toThrow(/used after its release/);
    session.release();
  });

  it('can be released while a run is under way', async () => {
    const session = await open();
    const y = float32([1, 2]);
    const run = session.run({ x: float32([1, 3], Float32Array.of(1, 1, 1)), s: float32([1, 2]) }, { y });
    session.release();
    await run;
    expect([...y.data]).toEqual([9, 12]);
  });

  it('tells which operators it left to the CPU', async () => {
    const g = new Graph('fallback');
    g.output('y', logSoftmax(g, g.input('x', 'float32', [2, 4])));
    const session = await runtime.createSession(encodeModel(g), { device });
    expect(session.leftToCpu()).toEqual({ LogSoftmax: 1 });
    session.release();
  });

  it('says what to install where CUDA is not to be had', async () => {
    const error = await runtime.openDevice('cuda').then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UnavailableError);
    expect(String(error)).toMatch(/no cuda device .*--onnxruntime-node-install=cuda12.*ENGINE_DEVICE=cpu/s);
  });
});
