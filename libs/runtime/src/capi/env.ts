import { ortApi, type Pointer } from './api.js';

const SEVERITY_ERROR = 3;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

const once = <T>(make: () => T) => {
  let value: T | undefined;
  return () => (value ??= make());
};

/** The process's one ONNX Runtime environment; never released, because sessions may outlive whoever made it. */
export const environment = once((): Pointer => ortApi().create('CreateEnv', SEVERITY_ERROR, 'attune'));

export const cpuMemory = once((): Pointer => ortApi().create('CreateCpuMemoryInfo', ARENA_ALLOCATOR, DEFAULT_MEMORY));

export const defaultAllocator = once((): Pointer => ortApi().create('GetAllocatorWithDefaultOptions'));

/** Reads a string that ONNX Runtime allocated for us, and frees it. */
export function takeString(pointer: Pointer): string {
  const api = ortApi();
  const text = api.readString(pointer);
  api.call('AllocatorFree', defaultAllocator(), pointer);
  return text;
}
