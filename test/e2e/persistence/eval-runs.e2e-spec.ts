import type { CreateEvalRequest } from '@attune/contracts';
import { EvalRepository } from '@attune/persistence';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOwner, expireLeases, type Owner } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();
let owner: Owner;
beforeAll(async () => {
  owner = await createOwner(db());
});

describe('an eval run', () => {
  it('takes nothing from one who lost it, by time or because it was cancelled', async () => {
    const evals = new EvalRepository(db());
    const { id: evalId } = await evals.create(owner.userId, {
      data_source_config: { type: 'logs' },
      testing_criteria: [],
    } as CreateEvalRequest);
    const source = { type: 'jsonl', source: { type: 'file_content', content: [] } } as never;
    const { run } = await evals.createRun(evalId, owner, { data_source: source }, 'm');
    const item = { item: {}, results: [], sample: {} as never, status: 'pass' as const };
    const old = (await evals.claim())!;
    await expireLeases(db(), 'eval_run');
    const taken = (await evals.claim())!;
    expect(taken.run.id).toBe(run.id);
    expect(await evals.addItem(old.claim, { ordinal: 0, ...item })).toBe(false);
    expect(await evals.end(old.claim, 'failed', { code: 'x', message: 'y' })).toBe(false);
    expect(await evals.addItem(taken.claim, { ordinal: 0, ...item })).toBe(true);
    await evals.cancelRun(evalId, run.id, owner.userId);
    expect(await evals.queue.renew(taken.claim)).toBeNull();
    expect(await evals.addItem(taken.claim, { ordinal: 1, ...item })).toBe(false);
    expect(await evals.end(taken.claim, 'completed')).toBe(false);
    const { run: ended, counts } = await evals.run(evalId, run.id, owner.userId);
    expect([ended.status, ended.error, counts.passed]).toEqual(['canceled', null, 1]);
    await expect(evals.claim()).resolves.toBeNull();
  });
});
