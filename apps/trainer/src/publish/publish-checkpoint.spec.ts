import type { CheckpointContent, CheckpointStore } from '@attune/checkpoint';
import type { GateReport } from '@attune/contracts';
import { LIVE_HAS_CHANGED } from '@attune/persistence';
import { ConflictError, NotFoundError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { CheckpointPublisher } from './publish-checkpoint.js';

const check = (passed: boolean) => ({
  name: 'task_suite',
  passed,
  candidate: 0.5,
  live: 0.7,
  bound: '≥ 0.680',
  reason: 'exact match fell',
});
const report = (passed: boolean): GateReport => ({ passed, checks: [check(passed)], suite: [], samples: [] });
const content = { manifest: { jobId: 'job_1', parentId: null, baseDigest: 'base', metrics: { suite: 0.5 } } };

/** Store and rows in memory; `dieAfter` ends the process, so to speak, after so many writes. */
function setUp(dieAfter = Infinity, live: string | null = null) {
  const log: string[] = [];
  const row: { current: Record<string, unknown> | null } = { current: null };
  const write = (what: string) => {
    if (log.length >= dieAfter) throw new Error('killed');
    log.push(what);
  };
  const store = {
    publish: async () => (write('folder'), { adapterDigest: 'adapter', weightsDigest: 'fp_1' }),
  } as unknown as CheckpointStore;
  const rows = {
    get: async () => {
      if (!row.current) throw new NotFoundError('none');
      return row.current;
    },
    add: async (added: object) => (write('row'), (row.current = { ...added, status: 'candidate', gateReport: null })),
    setGateReport: async (_: string, gateReport: GateReport) => (
      write('report'),
      (row.current!.gateReport = gateReport)
    ),
    promote: async (_id: string, _actor: string, _reason: string, terms: { expectedLive: string | null }) => {
      if (terms.expectedLive !== live) throw new ConflictError('other weights are live', { code: LIVE_HAS_CHANGED });
      write('promoted');
      row.current!.status = 'live';
    },
    promotions: async () => (log.includes('promoted') ? [{ checkpointId: 'ckpt_1' }] : []),
  } as unknown as ConstructorParameters<typeof CheckpointPublisher>[1];
  const revive = () => (dieAfter = Infinity);
  return { publisher: new CheckpointPublisher(store, rows), log, row, revive };
}

const plan = (passed: boolean, autoPromote = true) => ({
  id: 'ckpt_1',
  content: content as unknown as CheckpointContent,
  report: report(passed),
  autoPromote,
  measuredAgainst: null,
  signal: new AbortController().signal,
});

describe('publishing', () => {
  it('promotes a candidate that passed', async () => {
    const { publisher, log } = setUp();
    expect(await publisher.publish(plan(true))).toEqual({ outcome: 'promoted', id: 'ckpt_1' });
    expect(log).toEqual(['folder', 'row', 'report', 'promoted']);
  });
  it('never promotes one that did not, and says why', async () => {
    const { publisher, log, row } = setUp();
    expect(await publisher.publish(plan(false))).toEqual({
      outcome: 'rejected',
      id: 'ckpt_1',
      reasons: ['exact match fell (must be ≥ 0.680)'],
    });
    expect(log).not.toContain('promoted');
    expect(row.current!.gateReport).toMatchObject({ passed: false });
  });
  it('leaves the decision to a person when it may not promote', async () => {
    const { publisher, log } = setUp();
    expect(await publisher.publish(plan(true, false))).toEqual({ outcome: 'candidate', id: 'ckpt_1' });
    expect(log).not.toContain('promoted');
  });
  it('leaves the decision to a person when other weights went live since it was measured', async () => {
    const { publisher, log } = setUp(Infinity, 'ckpt_other');
    const reason = 'other weights are live';
    expect(await publisher.publish(plan(true))).toEqual({ outcome: 'candidate', id: 'ckpt_1', reason });
    expect(log).not.toContain('promoted');
  });
  it('writes nothing for a job that was cancelled', async () => {
    const { publisher, log } = setUp();
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(publisher.publish({ ...plan(true), signal })).rejects.toThrow('cancelled');
    expect(log).toEqual([]);
  });
  it('puts nothing live for a job that was cancelled while it published', async () => {
    const { publisher, log } = setUp();
    const run = new AbortController();
    const publishing = publisher.publish({ ...plan(true), signal: run.signal });
    run.abort(new Error('cancelled'));
    await expect(publishing).rejects.toThrow('cancelled');
    expect(log).not.toContain('promoted');
  });
  it.each([1, 2, 3, 4])('publishes once although it was killed after write %i', async (writes) => {
    const { publisher, log, revive } = setUp(writes);
    await publisher.publish(plan(true)).catch(() => undefined);
    revive();
    expect(await publisher.publish(plan(true))).toEqual({ outcome: 'promoted', id: 'ckpt_1' });
    for (const once of ['row', 'promoted']) expect(log.filter((what) => what === once)).toHaveLength(1);
  });
});
