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

/** Where graphs can run besides the CPU. */
export type DeviceKind = 'webgpu' | 'cuda';

/** A tensor in a device's memory: its values stay there from run to run. Made by `Device.tensor`. */
export interface DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly device: DeviceKind;
  /** Frees the memory once nothing on the device is under way; a tensor nobody refers to is freed as well. */
  release(): void;
}

/** What a run may read and write, wherever it lies. Device tensors belong to sessions on their device. */
export type AnyTensor = HostTensor | DeviceTensor;
export type AnyTensorMap = Readonly<Record<string, AnyTensor>>;

/**
 * A GPU and its memory, opened once a process. Everything on a device happens one after the other: native code crashes
 * when two runs, or a run and the making of a session, overlap there.
 */
export interface Device {
  readonly kind: DeviceKind;
  /** Memory on the device. Without `values` its contents are undefined. */
  tensor(dtype: DType, shape: readonly number[], values?: HostTensor): Promise<DeviceTensor>;
  /** Copies all values of a tensor into another of the same type and size, on whatever side either lies. */
  copy(from: AnyTensor, to: AnyTensor): Promise<void>;
  /** As `copy`, on this thread. @throws InternalError when something on the device is under way */
  copySync(from: AnyTensor, to: AnyTensor): void;
}

export interface RunOptions {
  /**
   * Aborting stops the run between two nodes (within 1-2 ms on a CPU) and makes it throw CancelledError. On a device all
   * of a run's work is queued at once: there it only keeps a run from starting.
   */
  readonly signal?: AbortSignal;
}

/**
 * Inputs and outputs fixed once, run many times: the cheapest way to repeat a step. Only `data` may change. On a device
 * this is an IoBinding: what lies on the device stays there, what lies here is copied over at each run.
 */
export interface BoundRun {
  /** Runs off the main thread. */
  run(options?: RunOptions): Promise<void>;
  /** Runs on this thread and blocks it; saves about 50 µs. For processes that have nothing else to do. */
  runSync(): void;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  bind(inputs: AnyTensorMap, outputs: AnyTensorMap): BoundRun;
  /**
   * Runs the graph, writing into the given output tensors. Outputs that are not named are not computed.
   * @throws InternalError when the graph fails, CancelledError when `signal` aborted it.
   */
  run(inputs: AnyTensorMap, outputs: AnyTensorMap, options?: RunOptions): Promise<void>;
  runSync(inputs: AnyTensorMap, outputs: AnyTensorMap): void;
  /** Operators of this graph that its device left to the CPU, with their number; none for a session on the CPU. */
  leftToCpu(): Readonly<Record<string, number>>;
  /** Frees the session as soon as no run is under way. */
  release(): void;
}

export interface SessionOptions {
  /** Run on this device; left out = on the CPU. */
  readonly device?: Device;
  /** Threads of this session's own pool; without it the runtime's `threads`. */
  readonly threads?: number;
  /** Idle threads spin for a while: fastest when the cores are ours, ruinous when they are shared. Default true. */
  readonly spinning?: boolean;
  /** Plan memory from the shapes of the first run. Off (the default) for dynamic shapes. */
  readonly memPattern?: boolean;
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

/** A file as memory, for reading only: writing to `bytes` ends the process. */
export interface MappedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Takes the memory back; whoever still reads `bytes`, a session with initializers in it too, ends the process. */
  release(): void;
}

export interface RuntimeOptions {
  /** Threads a session gets by default; 0 or left out = all cores. */
  readonly threads?: number;
  /** 'auto' takes the C API when its self-test passes and the Node binding otherwise. */
  readonly prefer?: 'auto' | 'capi' | 'binding';
  /**
   * One pool of threads for all sessions of this process instead of one each: two sessions that run at the same time
   * then share the cores rather than fight over them. Decided by the first runtime that is used in a process; sessions'
   * own `threads` and `spinning` have no effect then.
   */
  readonly sharedThreads?: boolean;
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
  /** Whether the CPU sums products of 8-bit integers exactly, see `sumsExactly`; tried once in a process. */
  exactProducts(): Promise<boolean>;
  /**
   * Opens a GPU, or gives the one already open in this process.
   * @throws UnavailableError saying what is missing and how to install it
   */
  openDevice(kind: DeviceKind): Promise<Device>;
  /**
   * Looks for a GPU that works and is worth using; null = there is none. Where the system shows no GPU this takes no
   * time and loads nothing; where it shows one, the first call tries it in a child process (seconds).
   */
  chooseDevice(): { readonly kind: DeviceKind | null; readonly reason: string };
  /** For sessions over the same initializers, such as two graphs of one model. Without effect on the Node binding. */
  shareWeights(): SharedWeights;
  /** Gives memory freed by released sessions back to the system (glibc keeps it otherwise). */
  trimMemory(): void;
  /** Puts what is in memory now, such as a model just loaded, into huge pages where the system has them (Linux). */
  useHugePages(): void;
}
