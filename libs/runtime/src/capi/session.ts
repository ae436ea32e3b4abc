import { CancelledError, InternalError } from '@attune/platform';
import type { BoundRun, HostTensor, RunOptions, Session, SessionOptions, TensorMap } from '../types.js';
import { ortApi, OrtError, type Pointer } from './api.js';
import { defaultAllocator, environment, takeString } from './env.js';
import { Gate } from './gate.js';
import { nameArray, type NameArray } from './names.js';
import { withSessionOptions } from './session-options.js';
import { CapiSharedWeights } from './shared-weights.js';
import { ortValue } from './value.js';

// Runs use libuv's pool of 4 threads; the fourth is left to files and DNS.
const gate = new Gate(3);

/** One side of a run: names, and the values they stand for. `tensors` keeps their memory alive. */
interface Side {
  readonly names: NameArray;
  readonly values: BigUint64Array;
  readonly tensors: readonly HostTensor[];
}

export class CapiSession implements Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Also what keeps the tensors of a run alive until it ends. */
  private readonly underWay = new Set<readonly [Side, Side]>();
  private releaseWanted = false;

  private constructor(
    private pointer: Pointer,
    /** What the native session points into: its initializers and their repacked copies. */
    readonly held: readonly unknown[],
  ) {
    this.inputNames = readNames(pointer, 'Input');
    this.outputNames = readNames(pointer, 'Output');
  }

  static async create(
    model: Uint8Array | string,
    options: SessionOptions,
    defaultThreads: number,
  ): Promise<CapiSession> {
    const { createAsync } = ortApi();
    const shared = options.shared instanceof CapiSharedWeights ? options.shared.pointer : undefined;
    const source = typeof model === 'string' ? [model] : [model, model.byteLength];
    const from = typeof model === 'string' ? 'CreateSession' : 'CreateSessionFromArray';
    const pointer = await withSessionOptions(options, defaultThreads, (native) =>
      shared
        ? createAsync(`${from}WithPrepackedWeightsContainer`, environment(), ...source, native, shared)
        : createAsync(from, environment(), ...source, native),
    );
    return new CapiSession(pointer, [options.initializers, options.shared]);
  }

  bind(inputs: TensorMap, outputs: TensorMap): BoundRun {
    const sides = [makeSide(inputs), makeSide(outputs)] as const;
    return {
      run: (options) => this.runAsync(...sides, options),
      runSync: () => this.runBlocking(...sides),
    };
  }

  async run(inputs: TensorMap, outputs: TensorMap, options?: RunOptions): Promise<void> {
    await this.runAsync(makeSide(inputs), makeSide(outputs), options);
  }

  runSync(inputs: TensorMap, outputs: TensorMap): void {
    this.runBlocking(makeSide(inputs), makeSide(outputs));
  }

  /** Releasing native memory under a running graph crashes the process, so the last run to end does it. */
  release(): void {
    this.releaseWanted = true;
    if (this.underWay.size > 0 || !this.pointer) return;
    ortApi().raw.ReleaseSession(this.pointer);
    this.pointer = 0n;
  }

  private runBlocking(inputs: Side, outputs: Side): void {
    this.assertUsable();
    try {
      ortApi().call('Run', this.pointer, null, ...runParameters(inputs, outputs));
    } catch (error) {
      throw runError(error);
    }
  }

  private async runAsync(inputs: Side, outputs: Side, options?: RunOptions): Promise<void> {
    this.assertUsable();
    const sides = [inputs, outputs] as const;
    this.underWay.add(sides);
    try {
      await gate.through(() => this.runOnPool(inputs, outputs, options?.signal));
    } finally {
      this.underWay.delete(sides);
      if (this.releaseWanted) this.release();
    }
  }

  private async runOnPool(inputs: Side, outputs: Side, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    const api = ortApi();
    const runOptions = signal ? api.create('CreateRunOptions') : null;
    const terminate = () => api.call('RunOptionsSetTerminate', runOptions);
    signal?.addEventListener('abort', terminate, { once: true });
    try {
      await api.callAsync('Run', this.pointer, runOptions, ...runParameters(inputs, outputs));
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

function makeSide(tensors: TensorMap): Side {
  const list = Object.values(tensors);
  return { names: nameArray(Object.keys(tensors)), values: BigUint64Array.from(list, ortValue), tensors: list };
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
