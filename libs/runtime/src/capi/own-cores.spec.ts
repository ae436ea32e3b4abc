import { describe, expect, it } from 'vitest';
import { coresOf, hasGlibc, useThreads } from '../../../../test/support/threads.js';
import { keepToLastCores } from './own-cores.js';

describe('threads that are kept to the last cores', () => {
  const startThread = useThreads();

  it.runIf(hasGlibc())('are those that were named, on as many cores as were named', async () => {
    const thread = await startThread();
    const all = coresOf(process.pid);
    expect(coresOf(thread)).toEqual(all);
    expect(keepToLastCores([thread], 1)).toBe(1);
    expect(coresOf(thread)).toEqual(all.slice(-1));
    expect(keepToLastCores([thread], all.length + 5)).toBe(1);
    expect(coresOf(thread)).toEqual(all);
    expect(coresOf(process.pid)).toEqual(all);
  });

  it.runIf(process.platform === 'linux')('are none where the thread is gone', () => {
    expect(keepToLastCores([2 ** 30], 1)).toBe(0);
  });
});
