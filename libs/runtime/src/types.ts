/** Element types the project's graphs use. float16 travels as raw bits, bool as bytes. */
export type DType = 'float32' | 'float16' | 'int64' | 'int32' | 'uint8' | 'int8' | 'bool';

export type TensorData = Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;

/**
 * A tensor in this process's memory, row-major. Sessions read inputs from and write outputs to `data` itself, so the
 * same object may be an input of one run and an output of another (or of the same one, where the operator allows it).
 * Keep and reuse the object: what the runtime needs to know of it is prepared once per object.
 */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type TensorMap = Readonly<Record<string, HostTensor>>;

export interface RunOptions {
  /** Aborting stops the run between two nodes (within 1-2 ms on a CPU) and makes it throw CancelledError. */
  readonly signal?: AbortSignal;
}

/** Inputs and outputs fixed once, run many times: the cheapest way to repeat a step. Only `data` may change. */
export interface BoundRun {
  /** Runs off the main thread. */
  run(options?: RunOptions): Promise<void>;
  /** Runs on this thread and blocks it; saves about 50 µs. For processes that have nothing else to do. */
  runSync(): void;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  bind(inputs: TensorMap, outputs: TensorMap): BoundRun;
  /**
   * Runs the graph, writing into the given output tensors. Outputs that are not named are not computed.
   * @throws InternalError when the graph fails, CancelledError when `signal` aborted it.
   */
  run(inputs: TensorMap, outputs: TensorMap, options?: RunOptions): Promise<void>;
  runSync(inputs: TensorMap, outputs: TensorMap): void;
  /** Frees the session as soon as no run is under way. */
  release(): void;
}

export interface SessionOptions {
  /** Threads of this session's own pool; without it the runtime's `threads`. */
  readonly threads?: number;
  /** Idle threads spin for a while: fastest when the cores are ours, ruinous when they are shared. Default true. */
  readonly spinning?: boolean;
  /** Plan memory from the shapes of the first run. Off (the default) for dynamic shapes. */
  readonly memPattern?: boolean;
  /** Keep freed memory for the next run. Default true. */
  readonly arena?: boolean;
  /** Which rewrites ONNX Runtime applies. Default 'all'. */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Values of initializers whose data the model leaves out (external data whose location is the initializer's name). */
  readonly initializers?: TensorMap;
  /** Keeps the repacked copies of equal initializers once for all sessions created with the same object. */
  readonly shared?: SharedWeights;
  /** Take the initializers' memory as it is instead of repacking a copy: less memory, slower matmuls. Default false. */
  readonly disablePrepacking?: boolean;
  /** Any further `session.*` configuration entries of ONNX Runtime. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Weights that several sessions have in common; made by `Runtime.shareWeights`, freed when nothing refers to it. */
export interface SharedWeights {
  readonly kind: 'capi' | 'binding';
}

export interface RuntimeOptions {
  /** Threads a session gets by default; 0 or left out = all cores. */
  readonly threads?: number;
  /** 'auto' takes the C API when its self-test passes and the Node binding otherwise. */
  readonly prefer?: 'auto' | 'capi' | 'binding';
  /** Where the self-test's verdict is remembered; default `node_modules/.cache/attune`. */
  readonly cacheDir?: string;
}

export interface Runtime {
  readonly kind: 'capi' | 'binding';
  /** ONNX Runtime's version. */
  readonly version: string;
  /** Why the C API is not used, when it was asked for or 'auto'. */
  readonly fallbackReason?: string;
  /** @param model the encoded ONNX model, or the path of its file */
  createSession(model: Uint8Array | string, options?: SessionOptions): Promise<Session>;
  /** For sessions over the same initializers, such as two graphs of one model. Without effect on the Node binding. */
  shareWeights(): SharedWeights;
  /** Gives memory freed by released sessions back to the system (glibc keeps it otherwise). */
  trimMemory(): void;
}
