import { linuxLibrary } from './linux-library.js';

/** Of a set of cores as the kernel takes it, a bit each: 8,192 cores. */
const SET_BYTES = 1024;

/**
 * Keeps threads to the last `count` of the cores that the calling thread may use (sched_setaffinity), so that whoever
 * works on the others finds there what they left in the caches. The threads that these start inherit it.
 * @param threads ids as in /proc/self/task
 * @returns how many of them are kept there now; none but on Linux with glibc
 */
export function keepToLastCores(threads: readonly number[], count: number): number {
  const libc = linuxLibrary();
  if (!libc) return 0;
  const allowed = new Uint8Array(SET_BYTES);
  if (libc.func('int sched_getaffinity(int thread, size_t bytes, uint8_t *set)')(0, SET_BYTES, allowed) !== 0) return 0;
  const kept = setOf(coresIn(allowed).slice(-Math.max(1, count)));
  const keep = libc.func('int sched_setaffinity(int thread, size_t bytes, const uint8_t *set)');
  return threads.filter((thread) => keep(thread, SET_BYTES, kept) === 0).length;
}

function coresIn(set: Uint8Array): number[] {
  return Array.from({ length: 8 * set.length }, (_, core) => core).filter(
    (core) => set[core >> 3]! & (1 << (core & 7)),
  );
}

function setOf(cores: readonly number[]): Uint8Array {
  const set = new Uint8Array(SET_BYTES);
  for (const core of cores) set[core >> 3]! |= 1 << (core & 7);
  return set;
}
