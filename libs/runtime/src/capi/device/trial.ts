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

const SIZE = 1024;
const DEPTH = 4;
const TIMES = 3;
const LONG_ENOUGH_MS = 2_000;
/** float32 sums of a thousand products, four times over. */
const TOLERANCE = 1e-3;

/** Multiplies matrices on a device and on the CPU. @throws UnavailableError when the device cannot be opened */
export async function tryDevice(kind: DeviceKind): Promise<Trial> {
  const device = await CapiDevice.open(kind);
  const random = createRandom(1);
  const x = float32(
    [SIZE, SIZE],
    Float32Array.from({ length: SIZE * SIZE }, () => random.normal() / 32),
  );
  const [here, there] = [float32([SIZE, SIZE]), float32([SIZE, SIZE])];
  const onDevice = await CapiSession.create(trialModel(), { device }, 1);
  const onCpu = await CapiSession.create(trialModel(), {}, 1);
  const moved = await device.tensor('float32', x.shape, x);
  const deviceMs = await fastest(onDevice.bind({ x: moved }, { y: there }));
  const cpuMs = await fastest(onCpu.bind({ x }, { y: here }));
  return { isRight: isClose(here, there), deviceMs, cpuMs };
}

/** x · x · x · …, whose numbers stay about as large as those of x. */
function trialModel(): Uint8Array {
  const g = new Graph('trial');
  const x = g.input('x', 'float32', [SIZE, SIZE]);
  let y = x;
  for (let i = 0; i < DEPTH; i++) y = matmul(g, y, x);
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
