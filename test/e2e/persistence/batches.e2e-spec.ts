import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchOutputLine } from '@attune/contracts';
import { BatchRepository, type ClaimedBatch, FileRepository } from '@attune/persistence';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOwner, expireLeases, type Owner } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();
let owner: Owner;
let batches: BatchRepository;
let files: FileRepository;
beforeAll(async () => {
  owner = await createOwner(db());
  batches = new BatchRepository(db());
  files = new FileRepository(db());
});

const addBatch = () =>
  batches.create(owner, { input_file_id: 'file-x', endpoint: '/v1/embeddings', completion_window: '24h' });
const output = (id: string): BatchOutputLine => ({
  id,
  custom_id: id,
  response: { status_code: 200, request_id: 'req', body: { said: 'x\u0000y' } },
  error: null,
});
const result = (line: number, succeeded = true) => ({ line, succeeded, output: output(`line ${line}`) });
const claimed = async () => (await batches.claim()) as ClaimedBatch;
const textOf = async (id: string) => (await files.read(id, owner.userId)).toString();

describe('a batch', () => {
  it('belongs to one of many that look for work', async () => {
    const { id } = await addBatch();
    const found = (await Promise.all(Array.from({ length: 4 }, () => batches.claim()))).filter(Boolean);
    expect(found.map((one) => one!.batch.id)).toEqual([id]);
    await batches.finish(found[0]!.batch, found[0]!.claim, { status: 'completed' });
  });

  it('takes nothing from one owner claim ran out, once another has it', async () => {
    await addBatch();
    const old = await claimed();
    expect(await batches.addResult(old.claim, result(0))).toBe(true);
    await expireLeases(db(), 'batch');
    // Nobody has taken it yet: it is still theirs.
    expect(await batches.addResult(old.claim, result(1))).toBe(true);
    const taken = await claimed();
    expect(taken.batch.id).toBe(old.batch.id);
    expect(taken.claim.owner).not.toBe(old.claim.owner);

    expect(await batches.queue.renew(old.claim)).toBeNull();
    expect(await batches.addResult(old.claim, result(2))).toBe(false);
    expect(await batches.move(old.claim, 'in_progress', 9)).toBe(false);
    expect(await batches.finish(old.batch, old.claim, { status: 'completed' }, [result(3, false)])).toBeNull();
    await batches.queue.giveBack(old.claim);
    await batches.queue.putBack(old.claim, 'too late');
    expect(await batches.claim()).toBeNull();
    expect(await batches.get(old.batch.id, owner.userId)).toMatchObject({
      status: 'validating',
      outputFileId: null,
      completed: 2,
      failed: 0,
      leaseOwner: taken.claim.owner,
    });

    expect(await batches.finish(taken.batch, taken.claim, { status: 'completed' }, [result(4, false)])).toBe(
      'completed',
    );
    const done = await batches.get(old.batch.id, owner.userId);
    expect((await textOf(done.outputFileId!)).split('\n')).toHaveLength(3);
    expect(JSON.parse(await textOf(done.errorFileId!))).toMatchObject({ custom_id: 'line 4' });
    const written = await db().query(`select count(*)::int as n from stored_file where filename like $1`, [
      `${done.id}%`,
    ]);
    expect(written).toEqual([{ n: 2 }]);
  });

  it('keeps the number of its lines when it has ended, and what they say in its files, or where it is without files', async () => {
    const ends: ((one: ClaimedBatch) => Promise<unknown>)[] = [
      ({ batch, claim }) => batches.finish(batch, claim, { status: 'completed' }, [result(3, false)]),
      ({ claim }) => batches.fail(claim, []),
    ];
    const counts = [];
    let failed = '';
    for (const end of ends) {
      const { id } = await addBatch();
      failed = id;
      const one = await claimed();
      for (const line of [result(0), result(1), result(2, false)]) await batches.addResult(one.claim, line);
      expect(await batches.get(id, owner.userId)).toMatchObject({ completed: 2, failed: 1 });
      await end(one);
      const ended = await batches.get(id, owner.userId);
      counts.push([ended.completed, ended.failed]);
    }
    expect(counts).toEqual([
      [2, 2],
      [2, 1],
    ]);
    const kept: { batch_id: string }[] = await db().query('select batch_id from batch_result');
    expect(kept.map(({ batch_id }) => batch_id)).toEqual(Array(3).fill(failed));
  });

  it('counts attempts that get nowhere, and no others', async () => {
    const { id } = await addBatch();
    const again = async () => {
      await expireLeases(db(), 'batch');
      return claimed();
    };
    expect((await claimed()).claim.attempts).toBe(1);
    const second = await again();
    expect(second.claim.attempts).toBe(2);
    await batches.addResult(second.claim, result(0));
    const third = await again();
    expect(third.claim.attempts).toBe(1);
    await batches.queue.giveBack(third.claim);
    const fourth = await claimed();
    expect(fourth.claim).toMatchObject({ attempts: 1, lastError: null });
    await batches.queue.putBack(fourth.claim, 'no luck');
    expect(await batches.claim()).toBeNull();
    const fifth = await again();
    expect(fifth.claim).toMatchObject({ attempts: 2, lastError: 'no luck' });
    await batches.finish(fifth.batch, fifth.claim, { status: 'failed', errors: [] });
    expect(await batches.get(id, owner.userId)).toMatchObject({ status: 'failed', completed: 1 });
  });

  it('that was given back goes on when those who waited had their turn', async () => {
    const ids = [(await addBatch()).id, (await addBatch()).id];
    const turns: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const { batch, claim } = await claimed();
      expect(await batches.queue.othersWait()).toBe(true);
      await batches.queue.giveBack(claim);
      turns.push(batch.id);
    }
    expect(turns).toEqual([...ids, ...ids]);
    for (const _ of ids) {
      const { batch, claim } = await claimed();
      await batches.finish(batch, claim, { status: 'completed' });
    }
    expect(await batches.queue.othersWait()).toBe(false);
  });

  it('that is cancelled while it ends is either cancelled or completed, with all its lines', async () => {
    const finishing = async () => {
      await addBatch();
      const { batch, claim } = await claimed();
      await batches.move(claim, 'in_progress', 1);
      await batches.addResult(claim, result(0));
      const finish = async () => {
        await batches.move(claim, 'finalizing', 1);
        return batches.finish(batch, claim, { status: 'completed' });
      };
      return { id: batch.id, finish };
    };
    const cancel = (id: string) =>
      batches.cancel(id, owner.userId).then(
        () => 'taken',
        () => 'refused',
      );
    const after = await finishing();
    const started = performance.now();
    expect([await after.finish(), await cancel(after.id)]).toEqual(['completed', 'refused']);
    const took = performance.now() - started;
    const before = await finishing();
    expect([await cancel(before.id), await cancel(before.id), await before.finish()]).toEqual([
      'taken',
      'taken',
      'cancelled',
    ]);

    for (let round = 0; round < 20; round++) {
      const { id, finish } = await finishing();
      const late = sleep((took * round) / 20).then(() => cancel(id));
      const [ended, told] = await Promise.all([finish(), late]);
      expect([
        ['completed', 'refused'],
        ['cancelled', 'taken'],
      ]).toContainEqual([ended, told]);
      const row = await batches.get(id, owner.userId);
      expect(row.status).toBe(ended);
      expect('cancelled' in row.reached && 'completed' in row.reached).toBe(false);
      expect(JSON.parse(await textOf(row.outputFileId!))).toMatchObject({ custom_id: 'line 0' });
    }
  });

  it('writes large outputs in the order of the input', async () => {
    await addBatch();
    const { batch, claim } = await claimed();
    for (let line = 449; line >= 0; line--) {
      const wide = { ...output(`${line}`), error: { code: 'x', message: 'é'.repeat(2_000) } };
      await batches.addResult(claim, { line, succeeded: true, output: wide });
    }
    await batches.finish(batch, claim, { status: 'completed' });
    const { outputFileId } = await batches.get(batch.id, owner.userId);
    const text = await textOf(outputFileId!);
    expect((await files.get(outputFileId!, owner.userId)).bytes).toBe(Buffer.byteLength(text));
    const ids = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as BatchOutputLine).custom_id);
    expect(ids).toEqual(Array.from({ length: 450 }, (_, line) => `${line}`));
  });
});
