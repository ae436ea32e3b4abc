import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import koffi from 'koffi';
import { UnavailableError } from '@attune/platform';
import { disableTelemetry } from '../telemetry.js';

const require = createRequire(import.meta.url);

/** The folder and version of the installed onnxruntime-node package. */
export function installedPackage(): { folder: string; version: string } {
  const manifest = require.resolve('onnxruntime-node/package.json');
  return { folder: path.dirname(manifest), version: (require(manifest) as { version: string }).version };
}

/**
 * The native library that onnxruntime-node ships for this platform.
 * @throws UnavailableError where there is none, or where calling it by FFI was never tried (Windows)
 */
export function libraryPath(): string {
  const folder = path.join(installedPackage().folder, 'bin', 'napi-v6', process.platform, process.arch);
  const found = process.platform === 'win32' ? undefined : listFiles(folder).find(isLibrary);
  if (!found)
    throw new UnavailableError(`no ONNX Runtime library to call directly on ${process.platform}-${process.arch}`);
  return path.join(folder, found);
}

export type NativeLibrary = ReturnType<typeof koffi.load>;

// Pointers out of the API table do not keep the library alive: were this object collected, koffi would unmap the code.
const loaded = new Map<string, NativeLibrary>();

/** Loads a shared library once and keeps it for the life of the process. */
export function loadLibrary(file: string): NativeLibrary {
  if (loaded.size === 0) enlargeAsyncStacks();
  disableTelemetry();
  const library = loaded.get(file) ?? koffi.load(file);
  loaded.set(file, library);
  return library;
}

/** Asynchronous calls run on koffi's own stacks, whose default of 128 KiB the matmul kernels overflow. */
function enlargeAsyncStacks() {
  koffi.config({ ...koffi.config(), async_stack_size: 8 << 20 });
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const isLibrary = (name: string) => /^libonnxruntime\..*(so\.1|dylib)$/.test(name) || name === 'libonnxruntime.so.1';
