import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { keepToLastCores, runWhenIdle } from '@attune/runtime';

const LOWEST = constants.priority.PRIORITY_LOW;
/** Of the fields behind a process's name in /proc/<pid>/stat: state, parent, group, session. */
const SESSION = 3;

/**
 * Makes this process stand back by `nice` (0 to 19) from those it was started with: where both want a core the others get
 * nearly all of it, and at once; a core that nobody else wants it has to itself.
 *
 * On Linux a priority is a thread's, and graphs run on threads that the runtime starts before any line of ours: every one
 * of them is asked; those that come later inherit it. And where the kernel groups processes by session (autogroup),
 * priorities within a session mean nothing to those outside it: a session of one's own, such as the supervisor starts the
 * trainer in, is lowered as one. At the lowest priority the threads also ask to run only where nobody else wants to: a
 * thread of the gateway's that wakes up then takes their core as if it were free.
 *
 * However low, whoever runs on a core in between leaves little in its caches of what others had there. So the threads are
 * kept to as many cores as graphs run on: on Linux, the last ones.
 * @param cores threads that graphs run on
 */
export function standBack(nice: number, cores: number): void {
  if (nice === 0) return;
  const priority = Math.min(LOWEST, getPriority() + nice);
  const threads = threadsOfThis();
  if (threads.length === 0) return setPriority(priority);
  for (const thread of threads) quietly(() => setPriority(thread, priority));
  if (priority === LOWEST) runWhenIdle(threads);
  keepToLastCores(threads, cores);
  if (leadsItsSession()) quietly(() => writeFileSync('/proc/self/autogroup', String(nice)));
}

/** None where there is no /proc: there a priority is a process's. */
function threadsOfThis(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}

/** Whether nobody else stands in its group: lowering another's would lower whoever started this process. */
function leadsItsSession(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const behindName = stat.slice(stat.lastIndexOf(')') + 2);
  return Number(behindName.split(' ')[SESSION]) === process.pid;
}

/** A thread may have ended, and a container may have no groups: then there is nothing to lower. */
function quietly(lower: () => void): void {
  try {
    lower();
  } catch {
    return;
  }
}
