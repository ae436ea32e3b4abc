import { readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresHome } from './home.js';

export interface Postmaster {
  pid: number;
  port: number;
}

/**
 * The server that runs on this cluster already (a killed supervisor leaves it alive), by its postmaster.pid; null when
 * none does. A pid file whose number now belongs to another program is removed: PostgreSQL would refuse to start.
 */
export function runningPostmaster(home: PostgresHome): Postmaster | null {
  const file = path.join(home.data, 'postmaster.pid');
  const [pid, , , port] = readLines(file).map(Number);
  if (!pid || !isAlive(pid)) return null;
  if (commandOf(pid).includes(home.data)) return port ? { pid, port } : null;
  rmSync(file, { force: true });
  return null;
}

/** False for a process that is gone; root sees every process, others at least their own. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Resolves to whether the process is gone within the time. */
async function waitForEnd(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/**
 * SIGINT is PostgreSQL's fast shutdown: running transactions are rolled back, everything is written. After the
 * deadline SIGQUIT, which leaves the rest to crash recovery.
 */
export async function stopPostmaster(pid: number, deadlineMs: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    if (await waitForEnd(pid, signal === 'SIGINT' ? deadlineMs : 5_000)) return;
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The command line of a process, empty when it cannot be read. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).stdout ?? '';
  }
}
