import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { runWhenIdle } from './idle-policy.js';

const SCHED_IDLE = 5;

describe('threads that run when nobody else wants to', () => {
  const workers: Worker[] = [];
  afterAll(() => Promise.all(workers.map((worker) => worker.terminate())));

  it.runIf(process.platform === 'linux')('are those that were named, and no others', async () => {
    const thread = await newThread();
    const others = threads().filter((id) => id !== thread);
    expect(policyOf(thread)).toBe(0);
    const changed = runWhenIdle([thread]);
    // A system without glibc has no such call behind the name: then nothing changes.
    expect(policyOf(thread)).toBe(changed === 1 ? SCHED_IDLE : 0);
    expect(others.filter((id) => threads().includes(id)).map(policyOf)).not.toContain(SCHED_IDLE);
  });

  it.runIf(process.platform === 'linux')('are none where the thread is gone', () => {
    expect(runWhenIdle([2 ** 30])).toBe(0);
  });

  async function newThread(): Promise<number> {
    const before = new Set(threads());
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    workers.push(worker);
    await new Promise((resolve) => worker.once('online', resolve));
    return threads().find((id) => !before.has(id))!;
  }
});

const threads = () => readdirSync('/proc/self/task').map(Number);

/** The fields behind the name in /proc/…/stat: state is the first, the policy the 39th. */
function policyOf(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}
