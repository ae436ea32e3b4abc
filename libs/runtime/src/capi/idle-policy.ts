import { loadLibrary } from './library.js';

/** linux/sched.h */
const SCHED_IDLE = 5;

type SetScheduler = (thread: number, policy: number, parameters: Int32Array) => number;
let setScheduler: SetScheduler | undefined;

/**
 * Has threads run only where nobody else wants to (SCHED_IDLE): the kernel counts a core that runs nothing else as free,
 * and sends a thread that wakes up there at once. Beside a thread of merely low priority it waits for the busy core that
 * it came from. The threads that these start inherit it.
 * @param threads ids as in /proc/self/task
 * @returns how many of them do now; none but on Linux with glibc
 */
export function runWhenIdle(threads: readonly number[]): number {
  if (process.platform !== 'linux') return 0;
  try {
    setScheduler ??= loadLibrary('libc.so.6').func(
      'int sched_setscheduler(int thread, int policy, const int *parameters)',
    ) as SetScheduler;
  } catch {
    return 0; // not glibc: their priority has to do
  }
  const priority = new Int32Array(1);
  return threads.filter((thread) => setScheduler!(thread, SCHED_IDLE, priority) === 0).length;
}
