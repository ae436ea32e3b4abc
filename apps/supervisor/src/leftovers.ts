import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, membersOfGroup, type ProcessIdentity } from './process-identity.js';
import type { ProcessName, RunFolder } from './run-folder.js';

const CHILDREN: readonly ProcessName[] = ['gateway', 'trainer'];

/**
 * Ends what a killed supervisor left behind, the engine process in the gateway's group included. Such children stop by
 * themselves once their channel is closed; this waits for them and, after the deadline, kills them.
 * @returns how many processes had to be waited for
 */
export async function endLeftovers(run: RunFolder, deadlineMs: number): Promise<number> {
  const leftovers = CHILDREN.flatMap((name) => survivors(run.recorded(name)));
  for (const { pid } of leftovers) signal(pid, 'SIGTERM');
  const deadline = performance.now() + deadlineMs;
  while (leftovers.some(isRunning) && performance.now() < deadline) await sleep(50);
  for (const leftover of leftovers) if (isRunning(leftover)) signal(leftover.pid, 'SIGKILL');
  while (leftovers.some(isRunning)) await sleep(20);
  for (const name of CHILDREN) run.forget(name);
  return leftovers.length;
}

/** The recorded process if it runs, and the members of the group it led. */
function survivors(leader: ProcessIdentity | null): ProcessIdentity[] {
  if (!leader) return [];
  const members = membersOfGroup(leader.pid);
  const reused = members.some((member) => member.pid === leader.pid && !isRunning(leader));
  if (reused) return [];
  return isRunning(leader) ? [leader, ...members.filter((member) => member.pid !== leader.pid)] : members;
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
