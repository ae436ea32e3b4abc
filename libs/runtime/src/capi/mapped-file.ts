import { closeSync, fstatSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { InternalError, messageOf, UnavailableError } from '@attune/platform';
import type { MappedFile } from '../types.js';
import { loadLibrary } from './library.js';

const PROT_READ = 1;
const MAP_PRIVATE = 2;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

interface Libc {
  mmap(at: null, length: number, protection: number, flags: number, file: number, offset: number): bigint | null;
  munmap(at: bigint, length: number): number;
}

let libc: Libc | undefined;

/**
 * Maps a file into memory instead of reading it: pages come in when they are touched, are shared with every process that
 * maps the same file, and leave again under pressure without being written anywhere.
 * @throws UnavailableError where there is no mmap to call, InternalError when the file cannot be mapped
 */
export function mapFile(file: string): MappedFile {
  const { mmap, munmap } = (libc ??= bindLibc());
  const { address, length } = mapWhole(mmap, file);
  const bytes = new Uint8Array(koffi.view(address, length));
  let isMapped = true;
  return {
    bytes,
    release: () => {
      if (isMapped) munmap(address, length);
      isMapped = false;
    },
  };
}

function mapWhole(mmap: Libc['mmap'], file: string): { address: bigint; length: number } {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const length = fstatSync(descriptor).size;
      if (length === 0) throw new Error('it is empty');
      const address = mmap(null, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
      if (address === null || address === MAP_FAILED) throw new Error('the system refused');
      return { address, length };
    } finally {
      closeSync(descriptor); // the mapping stays
    }
  } catch (error) {
    throw new InternalError(`${file} cannot be mapped into memory: ${messageOf(error)}`, { cause: error });
  }
}

function bindLibc(): Libc {
  if (process.platform !== 'linux')
    throw new UnavailableError(`files are mapped on Linux only, not ${process.platform}`);
  const library = loadLibrary('libc.so.6');
  return {
    mmap: library.func('void* mmap(void* at, size_t length, int protection, int flags, int file, int64_t offset)'),
    munmap: library.func('int munmap(void* at, size_t length)'),
  };
}
