import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';

/** Whether the C library is glibc, through which threads are told how to run. */
export function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** Ids of the threads of a process. */
export const threadsOf = (pid: number): number[] => readdirSync(`/proc/${pid}/task`).map(Number);

/** Starts threads for the specs of a describe; they end with them. @returns starts one, and tells its id */
export function useThreads(): () => Promise<number> {
  const workers: Worker[] = [];
  afterAll(() => Promise.all(workers.map((worker) => worker.terminate())));
  return async () => {
    const before = new Set(threadsOf(process.pid));
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    workers.push(worker);
    await new Promise((resolve) => worker.once('online', resolve));
    return threadsOf(process.pid).find((id) => !before.has(id))!;
  };
}

/** A thread's scheduling policy (linux/sched.h): of the fields behind its name in /proc/…/stat, the 39th. */
export function policyOf(thread: number): number {
  const stat = readFileSync(`/proc/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}

/** The cores a thread may run on: `0-2,5` of /proc/…/status as numbers. */
export function coresOf(thread: number): number[] {
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync(`/proc/${thread}/status`, 'utf8'))![1]!;
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: last! - first + 1 }, (_, at) => first + at);
  });
}
