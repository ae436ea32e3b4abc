import type { CompletionRepository } from '@attune/persistence';
import { createLogger, type Clock } from '@attune/platform';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EventBus } from '../core/events.js';
import { OwedWrites } from '../core/owed-writes.js';
import type { LiveWeights } from '../inference/live-weights.js';
import type { Metrics } from '../metrics/metrics.js';
import { CompletionCloser } from './completion-closer.js';
import { CompletionRecord } from './completion-record.js';

const id = 'chatcmpl_1';
const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });

function setUp() {
  const closeAll = vi.fn<CompletionRepository['closeAll']>(async () => new Set<string>());
  const metrics = { completion: vi.fn() };
  const events = new EventBus();
  const logger = createLogger('test', 'silent');
  const closer = new CompletionCloser(
    logger,
    { closeAll } as unknown as CompletionRepository,
    { checkpointOf: () => null } as unknown as LiveWeights,
    metrics as unknown as Metrics,
    events,
    new OwedWrites(logger),
  );
  const record = new CompletionRecord({ monotonicMs: () => 0 } as Clock, 2, 0);
  return { closeAll, metrics, events, closer, record };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a completion is closed with what its reader was told, however long the database is away', async () => {
  const { closeAll, events, closer, record } = setUp();
  const closed = vi.fn();
  events.on('completion.closed', closed);
  record.say({ type: 'text', text: 'Rome.' });
  closeAll.mockRejectedValue(away);
  void closer.close(id, record);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(closed).not.toHaveBeenCalled();
  closeAll.mockResolvedValue(new Set([id]));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(closeAll.mock.lastCall![0]).toMatchObject([{ id, answer: 'Rome.' }]);
  expect(closed).toHaveBeenCalledTimes(1);
});

it('a completion whose opening failed is closed as failed when the database can hear it, and nothing is told of one it never had', async () => {
  const { closeAll, metrics, closer, record } = setUp();
  closeAll.mockRejectedValueOnce(away);
  record.fail('the connection broke');
  const closed = closer.closeIfOpen(id, record);
  await vi.advanceTimersByTimeAsync(30_000);
  await closed;
  expect(closeAll).toHaveBeenCalledTimes(2);
  expect(closeAll.mock.calls[1][0]).toMatchObject([{ id, status: 'failed' }]);
  expect(metrics.completion).not.toHaveBeenCalled();
});
