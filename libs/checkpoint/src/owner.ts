import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * A process as the name of a file can hold it: `<host>-<pid>-<start>`. A process id alone is no identity: numbers are
 * used again, and containers that share a volume each count their own, under one host name where they share that too.
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
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const hostName = () => nameOfPlace(hostname(), pidNamespace());

/** Of everything that counts processes together: a host, or a container in it. */
export function nameOfPlace(host: string, pidNamespace: string): string {
  return createHash('sha256').update(`${host} ${pidNamespace}`).digest('hex').slice(0, 8);
}

/** pid_namespaces(7), such as `pid:[4026531836]`; empty where there are none. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Clock ticks from the system's start to the process's, field 22 of proc(5)'s stat; 0 where there is no such file. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
  } catch {
    return '0';
  }
}
