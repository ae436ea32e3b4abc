import { readFileSync } from 'node:fs';
import { loadLibrary } from './library.js';

const HUGE_PAGE = 2 << 20;
/** linux/mman.h, since Linux 6.1: put what is there into huge pages now. */
const MADV_COLLAPSE = 25;

type Madvise = (address: number, length: number, advice: number) => number;
let madvise: Madvise | undefined;

/**
 * Puts the process's own memory, as it is now, into pages of 2 MB: reading a model's weights from front to back in each
 * step otherwise looks up a new page every 4 kB. Pages not touched yet stay so. Nothing to do but on Linux.
 * @returns bytes that are in huge pages now because of it
 */
export function useHugePages(): number {
  if (process.platform !== 'linux') return 0;
  try {
    madvise ??= loadLibrary('libc.so.6').func('int madvise(uintptr_t address, size_t length, int advice)') as Madvise;
    return collapse(anonymousRanges(readFileSync('/proc/self/maps', 'utf8')));
  } catch {
    return 0; // not glibc, or no /proc: slower, not wrong
  }
}

export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** Whole huge pages of private memory that no file stands behind, out of the text of /proc/self/maps. */
export function anonymousRanges(maps: string): AddressRange[] {
  const ranges: AddressRange[] = [];
  for (const line of maps.split('\n')) {
    const found = /^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ 00:00 0\s*(\[heap\])?$/.exec(line);
    if (!found) continue;
    const start = Math.ceil(parseInt(found[1]!, 16) / HUGE_PAGE) * HUGE_PAGE;
    const end = Math.floor(parseInt(found[2]!, 16) / HUGE_PAGE) * HUGE_PAGE;
    if (end > start) ranges.push({ start, end });
  }
  return ranges;
}

function collapse(ranges: readonly AddressRange[]): number {
  let bytes = 0;
  for (const { start, end } of ranges) if (madvise!(start, end - start, MADV_COLLAPSE) === 0) bytes += end - start;
  return bytes;
}
