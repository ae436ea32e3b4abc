import { InternalError } from '@attune/platform';
import { ortApi, type Pointer } from './api.js';

const SEVERITY_ERROR = 3;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

const once = <T>(make: () => T) => {
  let value: T | undefined;
  return () => (value ??= make());
};

let poolThreads: number | null = null;
let isMade = false;

/** The process's one ONNX Runtime environment; never released, because sessions may outlive whoever made it. */
export const environment = once((): Pointer => {
  isMade = true;
  const { create } = ortApi();
  return poolThreads === null
    ? create('CreateEnv', SEVERITY_ERROR, 'attune')
    : withThreading(poolThreads, (threading) =>
        create('CreateEnvWithGlobalThreadPools', SEVERITY_ERROR, 'attune', threading),
      );
});

/** Whether sessions draw on one pool of threads for the whole process. */
export const hasSharedThreads = (): boolean => poolThreads !== null;

/**
 * Gives the environment one pool of `threads` for all sessions. The environment is made once a process, so this must
 * come before the first session.
 * @throws InternalError when there already are sessions with threads of their own
 */
export function shareThreads(threads: number): void {
  if (poolThreads !== null) return;
  if (isMade)
    throw new InternalError('sharedThreads must be asked for before the first session of the process is created');
  poolThreads = threads;
}

function withThreading<T>(threads: number, use: (threading: Pointer) => T): T {
  const { call, create, raw } = ortApi();
  const threading = create('CreateThreadingOptions');
  try {
    call('SetGlobalIntraOpNumThreads', threading, threads);
    call('SetGlobalInterOpNumThreads', threading, 1);
    call('SetGlobalSpinControl', threading, 1);
    call('SetGlobalDenormalAsZero', threading);
    return use(threading);
  } finally {
    raw.ReleaseThreadingOptions(threading);
  }
}

export const cpuMemory = once((): Pointer => ortApi().create('CreateCpuMemoryInfo', ARENA_ALLOCATOR, DEFAULT_MEMORY));

export const defaultAllocator = once((): Pointer => ortApi().create('GetAllocatorWithDefaultOptions'));

/** Reads a string that ONNX Runtime allocated for us, and frees it. */
export function takeString(pointer: Pointer): string {
  const api = ortApi();
  const text = api.readString(pointer);
  api.call('AllocatorFree', defaultAllocator(), pointer);
  return text;
}
