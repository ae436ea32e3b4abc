import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process id alone is no identity: numbers are used again. With the time it started it is one. */
export interface ProcessIdentity {
  pid: number;
  /** In the system's own words; only equality means anything. */
  startedAt: string;
}

/** Null when there is no such process. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
  return startedAt ? { pid, startedAt } : null;
}

/** Whether exactly this process still runs. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  const found = identify(pid);
  return found !== null && found.startedAt === startedAt;
}

/**
 * What is left of a process group: children started in it outlive its leader. Only on Linux, where /proc tells; the
 * empty list elsewhere.
 */
export function membersOfGroup(group: number): ProcessIdentity[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .map(Number)
    .filter((pid) => statOf(pid)?.group === group)
    .flatMap((pid) => identify(pid) ?? []);
}

function linuxStartTime(pid: number): string | null {
  const stat = statOf(pid);
  return stat && stat.state !== 'Z' ? stat.startTime : null;
}

/** Fields of /proc/<pid>/stat (proc(5)); the name in parentheses may itself contain spaces and parentheses. */
function statOf(pid: number): { state: string; group: number; startTime: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], group: Number(fields[2]), startTime: fields[19] };
  } catch {
    return null;
  }
}

function psStartTime(pid: number): string | null {
  const { status, stdout } = spawnSync('ps', ['-p', String(pid), '-o', 'lstart='], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
