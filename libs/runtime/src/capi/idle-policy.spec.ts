import { describe, expect, it } from 'vitest';
import { hasGlibc, policyOf, threadsOf, useThreads } from '../../../../test/support/threads.js';
import { runWhenIdle } from './idle-policy.js';

const SCHED_IDLE = 5;

describe('threads that run when nobody else wants to', () => {
  const startThread = useThreads();

  it.runIf(hasGlibc())('are those that were named, and no others', async () => {
    const thread = await startThread();
    expect(policyOf(thread)).toBe(0);
    expect(runWhenIdle([thread])).toBe(1);
    expect(policyOf(thread)).toBe(SCHED_IDLE);
    expect(policyOf(process.pid)).toBe(0);
    expect(
      threadsOf(process.pid)
        .map(policyOf)
        .filter((policy) => policy === SCHED_IDLE),
    ).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')('are none where the thread is gone', () => {
    expect(runWhenIdle([2 ** 30])).toBe(0);
  });
});
