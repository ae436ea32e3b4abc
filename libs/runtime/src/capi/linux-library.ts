import { loadLibrary, type NativeLibrary } from './library.js';

/** The C library; undefined but on Linux with glibc. */
export function linuxLibrary(): NativeLibrary | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return loadLibrary('libc.so.6');
  } catch {
    return undefined;
  }
}
