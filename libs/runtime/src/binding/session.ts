import { CancelledError, InternalError, messageOf } from '@attune/platform';
import { Tensor, type InferenceSession } from 'onnxruntime-node';
// The binding itself rather than the package's face, which has no blocking run.
import { binding, initOrt, type Binding } from 'onnxruntime-node/dist/binding.js';
import { configEntries } from '../config-entries.js';
import { disableTelemetry } from '../telemetry.js';
import { elementTypes } from '../tensor.js';
import type { AnyTensorMap, BoundRun, HostTensor, RunOptions, Session, SessionOptions, TensorMap } from '../types.js';

/** A session of onnxruntime-node: works wherever the package does, but copies every output and cannot cancel a run. */
export class BindingSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  private runsWaiting = 0;
  private releaseWanted = false;

  private constructor(private native: Binding.InferenceSession | undefined) {
    this.inputNames = native!.inputMetadata.map(({ name }) => name);
    this.outputNames = native!.outputMetadata.map(({ name }) => name);
  }

  static create(model: Uint8Array | string, options: SessionOptions, defaultThreads: number): BindingSession {
    disableTelemetry();
    initOrt();
    const native = new binding.InferenceSession();
    try {
      const settings = nativeOptions(options, defaultThreads);
      if (typeof model === 'string') native.loadModel(model, settings);
      else native.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, settings);
    } catch (error) {
      throw new InternalError(`ONNX Runtime could not load the graph: ${messageOf(error)}`, { cause: error });
    }
    return new BindingSession(native);
  }

  bind(inputs: AnyTensorMap, outputs: AnyTensorMap): BoundRun {
    const targets = inMemory(outputs);
    const feeds = toTensors(inMemory(inputs));
    const fetches = toTensors(targets);
    return {
      run: (options) => this.later(options, () => this.runNative(feeds, fetches, targets)),
      runSync: () => this.runNative(feeds, fetches, targets),
    };
  }

  async run(inputs: AnyTensorMap, outputs: AnyTensorMap, options?: RunOptions): Promise<void> {
    await this.bind(inputs, outputs).run(options);
  }

  runSync(inputs: AnyTensorMap, outputs: AnyTensorMap): void {
    this.bind(inputs, outputs).runSync();
  }

  leftToCpu(): Readonly<Record<string, number>> {
    return {};
  }

  release(): void {
    this.releaseWanted = true;
    if (this.runsWaiting > 0) return;
    this.native?.dispose();
    this.native = undefined;
  }

  /** The native run blocks; giving the event loop a turn first is all the asynchrony there is. */
  private async later(options: RunOptions | undefined, run: () => void): Promise<void> {
    this.runsWaiting += 1;
    try {
      await new Promise((resolve) => setImmediate(resolve));
      if (options?.signal?.aborted) throw new CancelledError('the run was cancelled');
      run();
    } finally {
      this.runsWaiting -= 1;
      if (this.releaseWanted) this.release();
    }
  }

  private runNative(feeds: Record<string, Tensor>, fetches: Record<string, Tensor>, outputs: TensorMap): void {
    if (!this.native) throw new InternalError('this session was released; create a new one to run the graph');
    try {
      const results = this.native.run(feeds, fetches, {});
      for (const [name, target] of Object.entries(outputs)) copyInto(target, (results[name] as Tensor).data);
    } catch (error) {
      throw new InternalError(`ONNX Runtime could not run the graph: ${messageOf(error)}`, { cause: error });
    }
  }
}

function nativeOptions(options: SessionOptions, defaultThreads: number): InferenceSession.SessionOptions {
  return {
    intraOpNumThreads: options.threads ?? defaultThreads,
    interOpNumThreads: 1,
    graphOptimizationLevel: options.graphOptimization ?? 'all',
    enableMemPattern: options.memPattern ?? false,
    logSeverityLevel: 3,
    extra: nested(configEntries(options)),
    externalData: Object.entries(options.initializers ?? {}).map(([path, { data }]) => ({
      path,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
  };
}

/** 'session.a.b' -> { session: { a: { b } } }, the shape in which the binding takes configuration entries. */
function nested(entries: Record<string, string>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(entries)) {
    const parts = key.split('.');
    let at = root;
    for (const part of parts.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
    at[parts.at(-1)!] = value;
  }
  return root;
}

function inMemory(tensors: AnyTensorMap): TensorMap {
  for (const [name, tensor] of Object.entries(tensors))
    if (!('data' in tensor)) throw new InternalError(`"${name}" lies on a device, which the Node binding cannot reach`);
  return tensors as TensorMap;
}

function toTensors(tensors: TensorMap): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toTensor(tensor)]));
}

function toTensor({ dtype, data, shape }: HostTensor): Tensor {
  if (!(data instanceof elementTypes[dtype].Data)) throw new InternalError(`a ${dtype} tensor cannot hold this data`);
  return new Tensor(dtype as 'float32', data as Float32Array, shape);
}

function copyInto(target: HostTensor, source: unknown) {
  const from = source as ArrayBufferView;
  const bytes = new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
  new Uint8Array(target.data.buffer, target.data.byteOffset, target.data.byteLength).set(bytes);
}
