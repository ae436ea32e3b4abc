import { float32ToFloat16 } from '@attune/checkpoint';
import { encodeModel } from '@attune/graph';
import {
  deviceGraph,
  type LayerAdapterKind,
  type ModelConfig,
  type ParameterReader,
  servingWeights,
  type WeightFormat,
} from '@attune/models';
import {
  type Device,
  type DeviceTensor,
  hostTensor,
  type HostTensor,
  type Runtime,
  type Session,
} from '@attune/runtime';
import type { RealType } from './device-cache.js';

export interface DeviceSessionsOptions {
  readonly format: WeightFormat;
  readonly real: RealType;
  readonly maxSeq: number;
}

/** What distinguishes the graphs of a model. */
export interface DeviceGraph {
  /** Sequences of a run. */
  readonly rows: number;
  readonly adapters: readonly LayerAdapterKind[];
  /** Whether it reads embeddings instead of token ids. */
  readonly embeddings: boolean;
}

/** The graphs of one model on a device, one for every number of rows, over one copy of the weights there. */
export class DeviceSessions {
  private readonly opened = new Map<string, Promise<Session>>();

  private constructor(
    private readonly runtime: Runtime,
    private readonly device: Device,
    private readonly config: ModelConfig,
    private readonly options: DeviceSessionsOptions,
    private readonly weights: Readonly<Record<string, DeviceTensor>>,
    /** Bytes of the weights on the device. */
    readonly weightBytes: number,
  ) {}

  /** Moves the weights to the device. @param read checkpoint parameters by their Hugging Face names */
  static async open(
    runtime: Runtime,
    device: Device,
    config: ModelConfig,
    read: ParameterReader,
    options: DeviceSessionsOptions,
  ): Promise<DeviceSessions> {
    const { format, maxSeq, real } = options;
    const weights: Record<string, DeviceTensor> = {};
    let bytes = 0;
    for (const [name, { dtype, shape, data }] of Object.entries(servingWeights(config, read, { format, maxSeq }))) {
      const values = inType(real, hostTensor(dtype, shape, data as never));
      weights[name] = await device.tensor(values.dtype, shape, values);
      bytes += values.data.byteLength;
    }
    return new DeviceSessions(runtime, device, config, options, weights, bytes);
  }

  /** The session of a graph, created when it is first asked for, and the weights it reads. */
  async get(graph: DeviceGraph) {
    const key = `${graph.rows} ${graph.adapters.join()} ${graph.embeddings}`;
    const made = this.opened.get(key) ?? this.create(graph);
    this.opened.set(key, made);
    made.catch(() => this.opened.delete(key)); // what failed is tried again
    const session = await made;
    const wanted = new Set(session.inputNames);
    return {
      session,
      weights: Object.fromEntries(Object.entries(this.weights).filter(([name]) => wanted.has(name))),
    };
  }

  async release(): Promise<void> {
    for (const session of await Promise.all(this.opened.values())) session.release();
    for (const tensor of Object.values(this.weights)) tensor.release();
    this.runtime.trimMemory();
  }

  private create(options: DeviceGraph): Promise<Session> {
    const graph = deviceGraph(this.config, { ...this.options, ...options });
    return this.runtime.createSession(encodeModel(graph), { device: this.device, threads: 1 });
  }
}

function inType(real: RealType, tensor: HostTensor): HostTensor {
  if (real === 'float32' || tensor.dtype !== 'float32') return tensor;
  return hostTensor('float16', tensor.shape, float32ToFloat16(tensor.data as Float32Array));
}
