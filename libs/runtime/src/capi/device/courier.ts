import { encodeModel, Graph } from '@attune/graph';
import { InternalError } from '@attune/platform';
import type { AnyTensor, DeviceKind, DType } from '../../types.js';
import { ortApi, type Pointer } from '../api.js';
import { environment } from '../env.js';
import { nameArray } from '../names.js';
import { withSessionOptions } from '../session-options.js';
import { valueOf } from './device-tensor.js';
import { appendProvider } from './providers.js';

/** Carries values between host and device memory, and within the latter. Called only while the device is idle. */
export interface Courier {
  /** Makes ready for tensors of a type and rank, before the first of them is carried. */
  prepare(dtype: DType, rank: number): Promise<void>;
  carry(from: AnyTensor, to: AnyTensor): void;
}

/** ONNX Runtime offers a copy for WebGPU only, while CUDA's memory is reached through the inputs and outputs of a graph. */
export const courierFor = (kind: DeviceKind): Courier =>
  kind === 'webgpu' ? new DirectCourier() : new GraphCourier(kind);

/** ONNX Runtime's own copy. It knows WebGPU's memory from the first WebGPU session of the process on. */
export class DirectCourier implements Courier {
  async prepare(): Promise<void> {}

  carry(from: AnyTensor, to: AnyTensor): void {
    assertAlike(from, to);
    const [source, target] = [BigUint64Array.of(valueOf(from)), BigUint64Array.of(valueOf(to))];
    ortApi().call('CopyTensors', environment(), source, target, null, 1);
  }
}

/** Runs y = x on the device: ONNX Runtime fetches the input from wherever it lies, and puts the output where ours is. */
export class GraphCourier implements Courier {
  private readonly sessions = new Map<string, Pointer>();

  constructor(private readonly kind: DeviceKind) {}

  async prepare(dtype: DType, rank: number): Promise<void> {
    const key = `${dtype} ${rank}`;
    if (!this.sessions.has(key)) this.sessions.set(key, await identitySession(this.kind, dtype, rank));
  }

  carry(from: AnyTensor, to: AnyTensor): void {
    assertAlike(from, to);
    const [source, target] = [BigUint64Array.of(valueOf(from)), BigUint64Array.of(valueOf(to))];
    const [x, y] = [nameArray(['x']).pointers, nameArray(['y']).pointers];
    const session = this.sessions.get(`${from.dtype} ${from.shape.length}`)!;
    ortApi().call('Run', session, null, x, source, 1, y, 1, target);
  }
}

/** A session of one node on a device. Also the smallest proof that the device works. */
export function identitySession(kind: DeviceKind, dtype: DType, rank: number): Promise<Pointer> {
  const graph = new Graph('copy');
  const shape = Array.from({ length: rank }, (_, axis) => `d${axis}`);
  graph.output('y', graph.emit('Identity', [graph.input('x', dtype, shape)])[0]!);
  const model = encodeModel(graph);
  return withSessionOptions({ graphOptimization: 'disabled' }, 1, (native) => {
    appendProvider(native, kind);
    return ortApi().createAsync('CreateSessionFromArray', environment(), model, model.byteLength, native);
  });
}

function assertAlike(from: AnyTensor, to: AnyTensor): void {
  const [source, target] = [from, to].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
  if (source !== target) throw new InternalError(`a ${source} tensor cannot be copied into a ${target} one`);
}
