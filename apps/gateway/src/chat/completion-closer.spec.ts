import type { CompletionRepository } from '@attune/persistence';
import { createLogger, type Clock } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventBus } from '../core/events.js';
import type { LiveWeights } from '../inference/live-weights.js';
import type { Metrics } from '../metrics/metrics.js';
import { CompletionCloser } from './completion-closer.js';
import { CompletionRecord } from './completion-record.js';

describe('a completion whose opening failed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is closed as failed when the database can hear it, and nothing is told of one it never had', async () => {
    const closeAll = vi.fn<CompletionRepository['closeAll']>(async () => new Set<string>());
    closeAll.mockRejectedValueOnce(new Error('away'));
    const metrics = { completion: vi.fn() };
    const closer = new CompletionCloser(
      createLogger('test', 'silent'),
      { closeAll } as unknown as CompletionRepository,
      {} as LiveWeights,
      metrics as unknown as Metrics,
      new EventBus(),
    );
    const record = new CompletionRecord({ monotonicMs: () => 0 } as Clock, 2, 0);
    record.fail('the connection broke');
    const closed = closer.closeIfOpen('chatcmpl_1', record);
    await vi.advanceTimersByTimeAsync(30_000);
    await closed;
    expect(closeAll).toHaveBeenCalledTimes(2);
    expect(closeAll.mock.calls[1][0]).toMatchObject([{ id: 'chatcmpl_1', status: 'failed' }]);
    expect(metrics.completion).not.toHaveBeenCalled();
  });
});
