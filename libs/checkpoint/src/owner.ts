import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * A process as the name of a file can hold it: `<host>-<pid>-<start>`. A process id alone is no identity: numbers are
 * used again, and containers that share a volume each count their own.
 */
export function ownName(): string {
  return `${hostName()}-${process.pid}-${startOf(process.pid)}`;
}

/** What is known of an owner; `elsewhere`: it ran on another host, or in another container. */
export function stateOf(owner: string): 'running' | 'gone' | 'elsewhere' {
  const [host, pid, start] = owner.split('-');
  if (host !== hostName()) return 'elsewhere';
  return isRunning(Number(pid)) && startOf(Number(pid)) === start ? 'running' : 'gone';
}

/** Whether this host has a process of that id, no matter whose. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const hostName = () => createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** Clock ticks from the system's start to the process's, field 22 of proc(5)'s stat; 0 where there is no such file. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
  } catch {
    return '0';
  }
}
