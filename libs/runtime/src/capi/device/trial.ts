import { createRandom } from '@attune/platform';
import { encodeModel, Graph, matmul } from '@attune/graph';
import { float32 } from '../../tensor.js';
import type { BoundRun, DeviceKind, HostTensor } from '../../types.js';
import { CapiSession } from '../session.js';
import { CapiDevice } from './device.js';

/** How a device did in its trial. */
export interface Trial {
  /** Whether its results were those of the CPU. */
  readonly isRight: boolean;
  readonly deviceMs: number;
  /** The same work on one CPU thread. */
  readonly cpuMs: number;
}

const LARGE = { size: 1024, depth: 4 };
const SMALL = { size: 256, depth: 1 };
/** A device that takes this long for the small work is none; the large one would keep the start waiting for half a minute. */
const TOO_LONG_MS = 10;
const TIMES = 3;
const LONG_ENOUGH_MS = 2_000;
/** float32 sums of a thousand products, four times over. */
const TOLERANCE = 1e-3;

/** Multiplies matrices on a device and on the CPU. @throws UnavailableError when the device cannot be opened */
export async function tryDevice(kind: DeviceKind): Promise<Trial> {
  const device = await CapiDevice.open(kind);
  const small = await compare(device, SMALL);
  return small.deviceMs > TOO_LONG_MS ? small : compare(device, LARGE);
}

interface Work {
  readonly size: number;
  readonly depth: number;
}

async function compare(device: CapiDevice, work: Work): Promise<Trial> {
  const shape = [work.size, work.size];
  const random = createRandom(1);
  const values = Float32Array.from({ length: work.size ** 2 }, () => random.normal() / Math.sqrt(work.size));
  const x = float32(shape, values);
  const [here, there] = [float32(shape), float32(shape)];
  const onDevice = await CapiSession.create(trialModel(work), { device }, 1);
  const onCpu = await CapiSession.create(trialModel(work), {}, 1);
  const moved = await device.tensor('float32', shape, x);
  const deviceMs = await fastest(onDevice.bind({ x: moved }, { y: there }));
  const cpuMs = await fastest(onCpu.bind({ x }, { y: here }));
  return { isRight: isClose(here, there), deviceMs, cpuMs };
}

/** x · x · x · …, whose numbers stay about as large as those of x. */
function trialModel({ size, depth }: Work): Uint8Array {
  const g = new Graph('trial');
  const x = g.input('x', 'float32', [size, size]);
  let y = x;
  for (let i = 0; i < depth; i++) y = matmul(g, y, x);
  g.output('y', y);
  return encodeModel(g);
}

async function fastest(run: BoundRun): Promise<number> {
  let best = Infinity;
  const begin = performance.now();
  for (let time = 0; time < TIMES && performance.now() - begin < LONG_ENOUGH_MS; time++) {
    const start = performance.now();
    await run.run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

function isClose(want: HostTensor, got: HostTensor): boolean {
  const [a, b] = [want.data as Float32Array, got.data as Float32Array];
  let [largest, error] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]!));
    error = Math.max(error, Math.abs(a[i]! - b[i]!));
  }
  return largest > 0 && error <= TOLERANCE * largest; // false for NaN
}
