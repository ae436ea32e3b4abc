import { CancelledError, InternalError } from '@attune/platform';
import type { AnyTensor, AnyTensorMap, BoundRun, RunOptions, Session, SessionOptions } from '../types.js';
import { ortApi, OrtError, type Pointer } from './api.js';
import { CapiDevice } from './device/device.js';
import { valueOf } from './device/device-tensor.js';
import { IoBinding } from './device/io-binding.js';
import { defaultAllocator, environment, takeString } from './env.js';
import { Gate } from './gate.js';
import { nameArray, type NameArray } from './names.js';
import { operatorsOnCpu } from './placement.js';
import { withSessionOptions } from './session-options.js';
import { CapiSharedWeights } from './shared-weights.js';

// Runs use libuv's pool of 4 threads; the fourth is left to files and DNS.
const cpuGate = new Gate(3);

/** One side of a run: names, and the values they stand for. `tensors` keeps their memory alive. */
interface Side {
  readonly names: NameArray;
  readonly values: BigUint64Array;
  readonly tensors: readonly AnyTensor[];
}

/** How a run is done: on this thread, or on one of libuv's. */
interface NativeRun {
  blocking(): void;
  onPool(runOptions: Pointer | null): Promise<void>;
}

// A bound run that nobody holds any more takes its binding with it.
const droppedRuns = new FinalizationRegistry<{ binding: IoBinding; session: WeakRef<CapiSession> }>(
  ({ binding, session }) => session.deref()?.drop(binding),
);

export class CapiSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Also what keeps the tensors of a run alive until it ends. */
  private readonly underWay = new Set<NativeRun>();
  private readonly bindings = new Set<IoBinding>();
  private readonly gate: Gate;
  private releaseWanted = false;

  private constructor(
    /** The native session; 0 once it is released. */
    public pointer: Pointer,
    private readonly device: CapiDevice | null,
    /** What the native session points into: its initializers and their repacked copies. */
    readonly held: readonly unknown[],
  ) {
    this.gate = device?.gate ?? cpuGate;
    this.inputNames = readNames(pointer, 'Input');
    this.outputNames = readNames(pointer, 'Output');
  }

  static async create(
    model: Uint8Array | string,
    options: SessionOptions,
    defaultThreads: number,
  ): Promise<CapiSession> {
    const device = options.device ? asCapiDevice(options.device) : null;
    const make = () => createNative(model, options, defaultThreads);
    const pointer = await (device ? device.gate.through(make) : make());
    return new CapiSession(pointer, device, device ? [] : [options.initializers, options.shared]);
  }

  bind(inputs: AnyTensorMap, outputs: AnyTensorMap): BoundRun {
    const run = this.device ? this.bindOnDevice(inputs, outputs) : this.prepare(inputs, outputs);
    return {
      run: (options) => this.runAsync(run, options),
      runSync: () => this.runBlocking(run),
    };
  }

  async run(inputs: AnyTensorMap, outputs: AnyTensorMap, options?: RunOptions): Promise<void> {
    await this.runAsync(this.prepare(inputs, outputs), options);
  }

  runSync(inputs: AnyTensorMap, outputs: AnyTensorMap): void {
    this.runBlocking(this.prepare(inputs, outputs));
  }

  leftToCpu(): Readonly<Record<string, number>> {
    return this.device ? operatorsOnCpu(this.pointer) : {};
  }

  /** Releasing native memory under a running graph crashes the process, so the last run to end does it. */
  release(): void {
    this.releaseWanted = true;
    if (this.underWay.size > 0 || !this.pointer) return;
    const pointer = this.pointer;
    this.pointer = 0n;
    if (this.device) this.device.gate.soon(() => this.free(pointer));
    else this.free(pointer);
  }

  private free(pointer: Pointer): void {
    for (const binding of this.bindings) binding.release();
    this.bindings.clear();
    ortApi().raw.ReleaseSession(pointer);
  }

  private prepare(inputs: AnyTensorMap, outputs: AnyTensorMap): NativeRun {
    const { call, callAsync } = ortApi();
    const [from, to] = [makeSide(inputs), makeSide(outputs)];
    return {
      blocking: () => call('Run', this.pointer, null, ...runParameters(from, to)),
      onPool: (runOptions) => callAsync('Run', this.pointer, runOptions, ...runParameters(from, to)),
    };
  }

  private bindOnDevice(inputs: AnyTensorMap, outputs: AnyTensorMap): NativeRun {
    this.assertUsable();
    const binding = new IoBinding(this.pointer, inputs, outputs);
    this.bindings.add(binding);
    const run = { blocking: () => binding.runSync(), onPool: () => binding.run() };
    droppedRuns.register(run, { binding, session: new WeakRef(this) });
    return run;
  }

  /** Frees a binding that cannot be run any more. */
  drop(binding: IoBinding): void {
    this.gate.soon(() => {
      if (this.bindings.delete(binding)) binding.release();
    });
  }

  private runBlocking(run: NativeRun): void {
    this.assertUsable();
    this.device?.assertIdle();
    try {
      run.blocking();
    } catch (error) {
      throw runError(error);
    }
  }

  private async runAsync(run: NativeRun, options?: RunOptions): Promise<void> {
    this.assertUsable();
    this.underWay.add(run);
    try {
      await this.gate.through(() => this.runOnPool(run, options?.signal));
    } finally {
      this.underWay.delete(run);
      if (this.releaseWanted) this.release();
    }
  }

  private async runOnPool(run: NativeRun, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    const api = ortApi();
    const runOptions = signal ? api.create('CreateRunOptions') : null;
    const terminate = () => api.call('RunOptionsSetTerminate', runOptions);
    signal?.addEventListener('abort', terminate, { once: true });
    try {
      await run.onPool(runOptions);
    } catch (error) {
      throw signal?.aborted ? cancelled(error) : runError(error);
    } finally {
      signal?.removeEventListener('abort', terminate);
      if (runOptions) api.raw.ReleaseRunOptions(runOptions);
    }
  }

  private assertUsable() {
    if (this.releaseWanted) throw new InternalError('this session was released; create a new one to run the graph');
  }
}

async function createNative(
  model: Uint8Array | string,
  options: SessionOptions,
  defaultThreads: number,
): Promise<Pointer> {
  const { createAsync } = ortApi();
  const shared = options.shared instanceof CapiSharedWeights ? options.shared.pointer : undefined;
  const source = typeof model === 'string' ? [model] : [model, model.byteLength];
  const from = typeof model === 'string' ? 'CreateSession' : 'CreateSessionFromArray';
  const environs = environment();
  return withSessionOptions(options, defaultThreads, (native) =>
    shared && !options.device
      ? createAsync(`${from}WithPrepackedWeightsContainer`, environs, ...source, native, shared)
      : createAsync(from, environs, ...source, native),
  );
}

function asCapiDevice(device: NonNullable<SessionOptions['device']>): CapiDevice {
  if (device instanceof CapiDevice) return device;
  throw new InternalError('a session can use a device that `Runtime.openDevice` opened, and no other');
}

function makeSide(tensors: AnyTensorMap): Side {
  const list = Object.values(tensors);
  return { names: nameArray(Object.keys(tensors)), values: BigUint64Array.from(list, valueOf), tensors: list };
}

function runParameters(inputs: Side, outputs: Side): unknown[] {
  const { names, values } = inputs;
  return [names.pointers, values, names.length, outputs.names.pointers, outputs.names.length, outputs.values];
}

function readNames(session: Pointer, side: 'Input' | 'Output'): string[] {
  const api = ortApi();
  const count = Number(api.create(`SessionGet${side}Count`, session));
  return Array.from({ length: count }, (_, index) =>
    takeString(api.create(`SessionGet${side}Name`, session, index, defaultAllocator())),
  );
}

const cancelled = (cause?: unknown) => new CancelledError('the run was cancelled', { cause });

const runError = (error: unknown) =>
  error instanceof OrtError
    ? new InternalError(`ONNX Runtime could not run the graph: ${error.message}`, { cause: error })
    : error;
