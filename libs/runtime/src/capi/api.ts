import koffi from 'koffi';
import { UnavailableError } from '@attune/platform';
import { libraryPath, loadLibrary } from './library.js';
import { API_VERSION, apiTable, type ApiFunction } from './table.js';

/** An address in native memory; 0n is null. */
export type Pointer = bigint;

type Callback = (error: Error | null, result: unknown) => void;
interface NativeFunction {
  (...parameters: unknown[]): unknown;
  async(...parameters: [...unknown[], Callback]): void;
}

/** A status other than "fine" that ONNX Runtime returned. */
export class OrtError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface OrtApi {
  readonly version: string;
  /** The functions as they are: statuses unchecked. */
  readonly raw: Readonly<Record<ApiFunction, NativeFunction>>;
  /** Calls a function that returns a status. @throws OrtError */
  call(name: ApiFunction, ...parameters: unknown[]): void;
  /** Calls a function whose last parameter is an out pointer and returns what it wrote. @throws OrtError */
  create(name: ApiFunction, ...parameters: unknown[]): Pointer;
  /** As `create`, on a thread of libuv's pool. The caller keeps every buffer it passes alive until then. */
  createAsync(name: ApiFunction, ...parameters: unknown[]): Promise<Pointer>;
  /** As `call`, on a thread of libuv's pool. The caller keeps every buffer it passes alive until then. */
  callAsync(name: ApiFunction, ...parameters: unknown[]): Promise<void>;
  /** Reads a zero-terminated UTF-8 string. */
  readString(pointer: Pointer): string;
}

let instance: OrtApi | undefined;

/**
 * Loads the library and binds the table, once a process.
 * @throws UnavailableError when there is no library here or it is older than the table
 */
export function ortApi(): OrtApi {
  return (instance ??= bindApi());
}

function bindApi(): OrtApi {
  const base = loadLibrary(libraryPath()).func('void* OrtGetApiBase()')() as Pointer;
  const version = bindSlot(base, 1, 'const char*', [])() as string;
  const table = bindSlot(base, 0, 'void*', ['uint32_t'])(API_VERSION) as Pointer | null;
  if (!table) throw new UnavailableError(`ONNX Runtime ${version} is older than API ${API_VERSION}`);
  const raw = Object.fromEntries(
    Object.entries(apiTable).map(([name, [index, returns, parameters]]) => [
      name,
      bindSlot(table, index, cType(returns), parameters.split(' ').filter(Boolean).map(cType)),
    ]),
  ) as Record<ApiFunction, NativeFunction>;
  return { version, raw, ...checkedCalls(raw), readString: (pointer) => koffi.decode(pointer, 'char', -1) as string };
}

function checkedCalls(raw: Record<ApiFunction, NativeFunction>) {
  const check = (status: unknown) => {
    if (!status) return;
    const error = new OrtError(raw.GetErrorCode(status) as number, raw.GetErrorMessage(status) as string);
    raw.ReleaseStatus(status);
    throw error;
  };
  const callAsync = (name: ApiFunction, ...parameters: unknown[]) =>
    new Promise<void>((resolve, reject) => {
      raw[name].async(...parameters, (failure, status) => {
        try {
          if (failure) throw failure;
          check(status);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  return {
    call: (name: ApiFunction, ...parameters: unknown[]) => check(raw[name](...parameters)),
    create: (name: ApiFunction, ...parameters: unknown[]) => {
      const out = new BigUint64Array(1);
      check(raw[name](...parameters, out));
      return out[0]!;
    },
    callAsync,
    createAsync: async (name: ApiFunction, ...parameters: unknown[]) => {
      const out = new BigUint64Array(1);
      await callAsync(name, ...parameters, out);
      return out[0]!;
    },
  };
}

function bindSlot(table: Pointer, index: number, returns: string, parameters: string[]): NativeFunction {
  const address = koffi.decode(table, index * 8, 'void*') as Pointer;
  return koffi.decode(address, koffi.proto(null as never, returns, parameters)) as NativeFunction;
}

const cTypes: Record<string, string> = {
  p: 'void*',
  st: 'void*',
  s: 'const char*',
  path: 'const char*',
  i: 'int',
  z: 'size_t',
  v: 'void',
};
const cType = (letter: string) => cTypes[letter];
