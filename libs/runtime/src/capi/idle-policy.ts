import { linuxLibrary } from './linux-library.js';

/** linux/sched.h */
const SCHED_IDLE = 5;

/**
 * Has threads run only where nobody else wants to (SCHED_IDLE): the kernel counts a core that runs nothing else as free,
 * and sends a thread that wakes up there at once. Beside a thread of merely low priority it waits for the busy core that
 * it came from. The threads that these start inherit it.
 * @param threads ids as in /proc/self/task
 * @returns how many of them do now; none but on Linux with glibc
 */
export function runWhenIdle(threads: readonly number[]): number {
  const setPolicy = linuxLibrary()?.func('int sched_setscheduler(int thread, int policy, const int *parameters)');
  if (!setPolicy) return 0;
  const priority = new Int32Array(1);
  return threads.filter((thread) => setPolicy(thread, SCHED_IDLE, priority) === 0).length;
}
