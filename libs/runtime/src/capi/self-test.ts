import { encodeModel, Graph, mul } from '@attune/graph';
import { int64, float32 } from '../tensor.js';
import { ortApi, OrtError } from './api.js';
import { IoBinding } from './device/io-binding.js';
import { cpuMemory, defaultAllocator } from './env.js';
import { CapiSession } from './session.js';
import { CapiSharedWeights } from './shared-weights.js';
import { ortValue } from './value.js';

/** y = w · x over float32 [2], with `w` supplied by the session's creator. */
function scalingModel(): Uint8Array {
  const graph = new Graph('self-test');
  graph.output('y', mul(graph, graph.input('x', 'float32', [2]), graph.initializer('w', 'float32', [2])));
  return encodeModel(graph);
}

/**
 * Uses every kind of call the runtime makes and compares what comes back.
 * @returns what went wrong; empty = the API table is right for this library. A wrong table may also crash the process,
 *   which is why `probe.ts` runs this in a child.
 */
export async function selfTest(): Promise<string[]> {
  const failures: string[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      if (!(await check())) failures.push(name);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failures;
}

const checks: Record<string, () => boolean | Promise<boolean>> = {
  'build information': () => String(ortApi().raw.GetBuildInfoString()).includes('ORT Build Info'),
  'status round trip': () => {
    const { raw } = ortApi();
    const status = raw.CreateStatus(2, 'self-test');
    const right = raw.GetErrorCode(status) === 2 && raw.GetErrorMessage(status) === 'self-test';
    raw.ReleaseStatus(status);
    return right;
  },
  'memory name': () => ortApi().readString(ortApi().create('MemoryInfoGetName', cpuMemory())) === 'Cpu',
  'tensor description': () => {
    const { type, dims } = describe(ortValue(int64([2, 3])));
    return type === 7 && dims.join() === '2,3';
  },
  'run options': () => {
    const { call, create, raw } = ortApi();
    const options = create('CreateRunOptions');
    call('RunOptionsSetTerminate', options);
    call('RunOptionsUnsetTerminate', options);
    raw.ReleaseRunOptions(options);
    return true;
  },
  'run in place with our initializer': async () => {
    const initializers = { w: float32([2], Float32Array.of(2, 3)) };
    const session = await CapiSession.create(scalingModel(), { initializers, shared: new CapiSharedWeights() }, 1);
    const x = float32([2], Float32Array.of(3, 4));
    const y = float32([2]);
    session.runSync({ x }, { y });
    const blocking = y.data.join();
    x.data[0] = 5;
    await session.run({ x }, { y }, { signal: new AbortController().signal });
    session.release();
    return [...session.inputNames, ...session.outputNames, blocking, y.data.join()].join(' ') === 'x y 6,12 10,12';
  },
  'bound run': async () => {
    const session = await CapiSession.create(
      scalingModel(),
      { initializers: { w: float32([2], Float32Array.of(2, 3)) } },
      1,
    );
    const bound = float32([2]);
    const binding = new IoBinding(session.pointer, { x: float32([2], Float32Array.of(3, 4)) }, { y: bound });
    binding.runSync();
    binding.release();
    session.release();
    return bound.data.join() === '6,12';
  },
  'memory of ONNX Runtime': () => {
    const { create, raw } = ortApi();
    const value = create('CreateTensorAsOrtValue', defaultAllocator(), BigInt64Array.of(2n), 1, 1);
    const isThere = create('GetTensorMutableData', value) !== 0n;
    const right = isThere && describe(value).dims.join() === '2';
    raw.ReleaseValue(value);
    return right;
  },
  'options of threads and devices': () => {
    const { call, create, raw } = ortApi();
    const threading = create('CreateThreadingOptions');
    call('SetGlobalIntraOpNumThreads', threading, 2);
    raw.ReleaseThreadingOptions(threading);
    const cuda = create('CreateCUDAProviderOptions');
    raw.ReleaseCUDAProviderOptions(cuda);
    return threading !== 0n && cuda !== 0n;
  },
  'error text': async () => {
    try {
      await CapiSession.create(new Uint8Array([1, 2, 3]), {}, 1);
      return false;
    } catch (error) {
      return error instanceof Error && error.cause instanceof OrtError && error.cause.message.length > 0;
    }
  },
};

function describe(value: bigint): { type: number; dims: bigint[] } {
  const { call, create, raw } = ortApi();
  const info = create('GetTensorTypeAndShape', value);
  const type = new Int32Array(1);
  call('GetTensorElementType', info, type);
  const dims = new BigInt64Array(Number(create('GetDimensionsCount', info)));
  call('GetDimensions', info, dims, dims.length);
  raw.ReleaseTensorTypeAndShapeInfo(info);
  return { type: type[0], dims: [...dims] };
}
