import { loadLibrary } from './library.js';

let trim: (() => void) | undefined;

/** Hands freed pages back to the system: glibc keeps about one model's worth otherwise. Nothing to do elsewhere. */
export function trimMemory(): void {
  trim ??= process.platform === 'linux' ? glibcTrim() : () => {};
  trim();
}

function glibcTrim(): () => void {
  try {
    const mallocTrim = loadLibrary('libc.so.6').func('int malloc_trim(size_t pad)');
    return () => void mallocTrim(0);
  } catch {
    return () => {}; // not glibc
  }
}
