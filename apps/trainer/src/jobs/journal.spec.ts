import type { NewEvent, NewMetric } from '@attune/persistence';
import { createLogger } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { Journal, type StageProgress } from './journal.js';

const owner = { jobId: 'job_1', workerId: 'worker' };

function setUp() {
  const written = { events: [] as NewEvent[], metrics: [] as NewMetric[], progress: [] as StageProgress[] };
  const faults: Error[] = [];
  const fail = () => {
    const fault = faults.shift();
    if (fault) throw fault;
  };
  let nowMs = 0;
  const journal = new Journal(
    {
      appendEvents: async (_, events) => (fail(), void written.events.push(...events)),
      appendMetrics: async (_, metrics) => (fail(), void written.metrics.push(...metrics)),
      progress: async (_, __, progress) => void written.progress.push(progress),
    },
    owner,
    { now: () => new Date(0), monotonicMs: () => nowMs },
    createLogger('spec', 'silent'),
  );
  return { journal, written, faults, setTime: (ms: number) => (nowMs = ms) };
}

describe('the journal', () => {
  it('writes events and steps once, in order', async () => {
    const { journal, written } = setUp();
    journal.info('first');
    journal.step('sft', 0, { loss: 2, grad_norm: NaN });
    await journal.flush();
    journal.warn('second');
    await Promise.all([journal.flush(), journal.flush()]);
    expect(written.events.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'first'],
      ['warn', 'second'],
    ]);
    expect(written.metrics).toEqual([{ stage: 'sft', step: 0, values: { loss: 2 } }]);
  });
  it('keeps what could not be written for the next time', async () => {
    const { journal, written, faults } = setUp();
    journal.info('kept');
    journal.step('sft', 0, { loss: 2 });
    faults.push(new Error('the database is away'));
    await expect(journal.flush()).rejects.toThrow('away');
    await journal.flush();
    expect(written.events).toHaveLength(1);
    expect(written.metrics).toHaveLength(1);
  });
  it('does not write events twice when only the metrics failed', async () => {
    const { journal, written, faults } = setUp();
    journal.info('once');
    journal.step('sft', 0, { loss: 2 });
    faults.push(undefined as never, new Error('the database is away'));
    await expect(journal.flush()).rejects.toThrow('away');
    await journal.flush();
    expect(written.events).toHaveLength(1);
    expect(written.metrics).toHaveLength(1);
  });
  it('tells tokens a second and the loss of the stage under way', async () => {
    const { journal, written, setTime } = setUp();
    journal.progress('sft', 0, 10);
    journal.step('sft', 0, { loss: 2.5, tokens: 300 });
    journal.step('sft', 1, { loss: 1.5, tokens: 100 });
    setTime(2_000);
    journal.progress('sft', 2, 10);
    await journal.flush();
    expect(written.progress.at(-1)).toMatchObject({ tokensPerSecond: 200, loss: 1.5, etaSeconds: 8 });
    journal.progress('evaluate', 0, 4);
    await journal.flush();
    expect(written.progress.at(-1)).toMatchObject({ tokensPerSecond: null, loss: null });
  });
  it('estimates the time left of a stage from its own pace', async () => {
    const { journal, written, setTime } = setUp();
    journal.progress('sft', 20, 100);
    await journal.flush();
    setTime(5_000);
    journal.progress('sft', 30, 100);
    await journal.flush();
    setTime(6_000);
    journal.progress('reward', 0, 10);
    await journal.flush();
    expect(written.progress.map(({ etaSeconds }) => etaSeconds)).toEqual([null, 35, null]);
  });
});
