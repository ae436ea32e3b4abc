import type { BatchOutputLine, CreateEvalRequest } from '@attune/contracts';
import {
  AccountRepository,
  BatchRepository,
  EvalRepository,
  FileRepository,
  PassageVectorRepository,
  VectorSearchRepository,
  VectorStoreRepository,
  type ClaimedBatch,
} from '@attune/persistence';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let batches: BatchRepository;
let files: FileRepository;
let whose: { userId: string; keyId: string };
beforeAll(async () => {
  database = await createTestDatabase();
  batches = new BatchRepository(database.dataSource);
  files = new FileRepository(database.dataSource);
  const accounts = new AccountRepository(database.dataSource);
  const user = await accounts.createUser({ name: 'Nina', role: 'user' });
  const key = await accounts.createKey({ userId: user.id, name: 'key' });
  whose = { userId: user.id, keyId: key.key.id };
});
afterAll(() => database.close());

const db = () => database.dataSource;
const addBatch = () =>
  batches.create(whose, { input_file_id: 'file-x', endpoint: '/v1/embeddings', completion_window: '24h' });
const output = (id: string): BatchOutputLine => ({
  id,
  custom_id: id,
  response: { status_code: 200, request_id: 'req', body: { said: 'x\u0000y' } },
  error: null,
});
const result = (line: number, succeeded = true) => ({ line, succeeded, output: output(`line ${line}`) });
const expire = (table: string) =>
  db().query(`update ${table} set leased_until = clock_timestamp() - interval '1 s' where leased_until is not null`);
const claimed = async () => (await batches.claim()) as ClaimedBatch;
const textOf = async (id: string) => (await files.read(id, whose.userId)).toString();

describe('a batch', () => {
  it('belongs to one of many that look for work', async () => {
    const { id } = await addBatch();
    const found = (await Promise.all(Array.from({ length: 4 }, () => batches.claim()))).filter(Boolean);
    expect(found.map((one) => one!.batch.id)).toEqual([id]);
    await batches.finish(found[0]!.batch, found[0]!.claim, { status: 'completed' });
  });

  it('takes nothing from one whose claim ran out, once another has it', async () => {
    await addBatch();
    const old = await claimed();
    expect(await batches.addResult(old.claim, result(0))).toBe(true);
    await expire('batch');
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
    expect(await batches.get(old.batch.id, whose.userId)).toMatchObject({
      status: 'validating',
      outputFileId: null,
      completed: 2,
      failed: 0,
      leaseOwner: taken.claim.owner,
    });

    expect(await batches.finish(taken.batch, taken.claim, { status: 'completed' }, [result(4, false)])).toBe(
      'completed',
    );
    const done = await batches.get(old.batch.id, whose.userId);
    expect((await textOf(done.outputFileId!)).split('\n')).toHaveLength(3);
    expect(JSON.parse(await textOf(done.errorFileId!))).toMatchObject({ custom_id: 'line 4' });
    const written = await db().query(`select count(*)::int as n from stored_file where filename like $1`, [
      `${done.id}%`,
    ]);
    expect(written).toEqual([{ n: 2 }]);
  });

  it('keeps the number of its lines when it has ended, and what they say in its files alone', async () => {
    const ends: ((one: ClaimedBatch) => Promise<unknown>)[] = [
      ({ batch, claim }) => batches.finish(batch, claim, { status: 'completed' }, [result(3, false)]),
      ({ claim }) => batches.fail(claim, []),
    ];
    const counts = [];
    for (const end of ends) {
      const { id } = await addBatch();
      const one = await claimed();
      for (const line of [result(0), result(1), result(2, false)]) await batches.addResult(one.claim, line);
      expect(await batches.get(id, whose.userId)).toMatchObject({ completed: 2, failed: 1 });
      await end(one);
      const { completed, failed } = await batches.get(id, whose.userId);
      counts.push([completed, failed]);
    }
    expect(counts).toEqual([
      [2, 2],
      [2, 1],
    ]);
    expect(await db().query('select 1 from batch_result')).toEqual([]);
  });

  it('counts attempts that get nowhere, and no others', async () => {
    const { id } = await addBatch();
    const again = async () => {
      await expire('batch');
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
    expect(await batches.get(id, whose.userId)).toMatchObject({ status: 'failed', completed: 1 });
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
      batches.cancel(id, whose.userId).then(
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
      const row = await batches.get(id, whose.userId);
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
    const { outputFileId } = await batches.get(batch.id, whose.userId);
    const text = await textOf(outputFileId!);
    expect((await files.get(outputFileId!, whose.userId)).bytes).toBe(Buffer.byteLength(text));
    const ids = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as BatchOutputLine).custom_id);
    expect(ids).toEqual(Array.from({ length: 450 }, (_, line) => `${line}`));
  });
});

describe('an eval run', () => {
  it('takes nothing from one who lost it, by time or because it was cancelled', async () => {
    const evals = new EvalRepository(db());
    const { id: evalId } = await evals.create(whose.userId, {
      data_source_config: { type: 'logs' },
      testing_criteria: [],
    } as CreateEvalRequest);
    const source = { type: 'jsonl', source: { type: 'file_content', content: [] } } as never;
    const { run } = await evals.createRun(evalId, whose, { data_source: source }, 'm');
    const item = { item: {}, results: [], sample: {} as never, status: 'pass' as const };
    const old = (await evals.claim())!;
    await expire('eval_run');
    const taken = (await evals.claim())!;
    expect(taken.run.id).toBe(run.id);
    expect(await evals.addItem(old.claim, { ordinal: 0, ...item })).toBe(false);
    expect(await evals.end(old.claim, 'failed', { code: 'x', message: 'y' })).toBe(false);
    expect(await evals.addItem(taken.claim, { ordinal: 0, ...item })).toBe(true);
    await evals.cancelRun(evalId, run.id, whose.userId);
    expect(await evals.queue.renew(taken.claim)).toBeNull();
    expect(await evals.addItem(taken.claim, { ordinal: 1, ...item })).toBe(false);
    expect(await evals.end(taken.claim, 'completed')).toBe(false);
    const { run: ended, counts } = await evals.run(evalId, run.id, whose.userId);
    expect([ended.status, ended.error, counts.passed]).toEqual(['canceled', null, 1]);
    await expect(evals.claim()).resolves.toBeNull();
  });
});

describe('a file of a vector store', () => {
  it('that is added again while it is read is read again, and the first reading is dropped', async () => {
    const stores = new VectorStoreRepository(db());
    const index = new VectorSearchRepository(db());
    const file = await files.add({
      userId: whose.userId,
      filename: 'a.txt',
      purpose: 'assistants',
      content: Buffer.from('x'),
    });
    const added = { file_id: file.id, chunking_strategy: { type: 'auto' } } as const;
    const { id } = await stores.create(whose.userId, {
      name: '',
      file_ids: [file.id],
      chunking_strategy: { type: 'auto' },
    });
    const first = (await index.claim())!;
    expect(await index.queue.renew(first.claim)).toBe('in_progress');
    await stores.add(id, whose.userId, [added]);
    const second = (await index.claim())!;
    expect(second.fileId).toBe(file.id);
    await index.complete(first, ['old text']);
    expect(await stores.passages(id, file.id, whose.userId)).toEqual([]);
    await index.complete(second, ['new text', 'more of it']);
    await index.fail(first, { code: 'server_error', message: 'late' });
    expect(await stores.passages(id, file.id, whose.userId)).toEqual(['new text', 'more of it']);
    expect(await stores.file(id, file.id, whose.userId)).toMatchObject({ status: 'completed', usageBytes: 18 });
  });

  it('gets its vectors from one maker at a time, all of them by the same weights', async () => {
    const stores = new VectorStoreRepository(db());
    const index = new VectorSearchRepository(db());
    const vectors = new PassageVectorRepository(db());
    const content = Buffer.from('x');
    const file = await files.add({ userId: whose.userId, filename: 'b.txt', purpose: 'assistants', content });
    const chunking_strategy = { type: 'auto' } as const;
    const { id } = await stores.create(whose.userId, { name: '', file_ids: [file.id], chunking_strategy });
    await index.complete((await index.claim())!, ['one', 'two', 'three']);
    const rows = (from: number, value: number) =>
      [from, from + 1].map((ordinal) => ({ ordinal, vector: Float32Array.of(value, ordinal) }));
    const nearest = async () =>
      (await vectors.nearest([id], Float32Array.of(1, 0), { limit: 9 })).map((near) => [
        near.key.ordinal,
        near.similarity,
      ]);

    expect(await vectors.claim()).toBeNull();
    expect(await vectors.want([id], 'model')).toBe(1);
    const old = (await vectors.claim())!;
    await vectors.begin(old, 'model');
    expect(await vectors.add(old, rows(0, 0.5))).toBe(true);
    expect((await vectors.without(old, 9)).map(({ text }) => text)).toEqual(['three']);
    // Killed here: what it made is kept, and searched only when all is there.
    expect(await nearest()).toEqual([]);
    await expire('vector_store_file');
    const next = (await vectors.claim())!;
    expect(next.claim.attempts).toBe(1);
    expect(await vectors.begin(next, 'model')).toBe(true);
    expect(await vectors.begin(old, 'model')).toBe(false);
    expect(await vectors.add(old, rows(1, 9))).toBe(false);
    await vectors.add(next, [{ ordinal: 2, vector: Float32Array.of(0.25, 0) }]);
    await vectors.giveUp(old, 'model');
    await vectors.end(next);
    expect(await vectors.want([id], 'model')).toBe(0);
    expect(await nearest()).toEqual([
      [0, 0.5],
      [1, 0.5],
      [2, 0.25],
    ]);

    expect(await vectors.want([id], 'another')).toBe(1);
    const anew = (await vectors.claim())!;
    await vectors.begin(anew, 'another');
    expect(await vectors.without(anew, 9)).toHaveLength(3);
    await vectors.add(anew, [...rows(0, 0.125), { ordinal: 2, vector: Float32Array.of(1, 0) }]);
    await vectors.end(anew);
    expect((await nearest())[0]).toEqual([2, 1]);
  });

  it('is read and gets its vectors with attempts of their own, and is asked for again after it was given up', async () => {
    const stores = new VectorStoreRepository(db());
    const index = new VectorSearchRepository(db());
    const vectors = new PassageVectorRepository(db());
    const content = Buffer.from('x');
    const file = await files.add({ userId: whose.userId, filename: 'c.txt', purpose: 'assistants', content });
    const chunking_strategy = { type: 'auto' } as const;
    const { id } = await stores.create(whose.userId, { name: '', file_ids: [file.id], chunking_strategy });
    await db().query(`update vector_store_file set vectors = 'wanted' where store_id = $1`, [id]);
    const broken = (await index.claim())!;
    await index.queue.putBack(broken.claim, 'the reader broke');
    await db().query('update vector_store_file set leased_until = null where store_id = $1', [id]);
    const read = (await index.claim())!;
    expect(read.claim).toMatchObject({ attempts: 2, lastError: 'the reader broke' });
    await index.complete(read, ['one']);

    // Given up before it was begun.
    const first = (await vectors.claim())!;
    expect(first.claim).toMatchObject({ attempts: 1, lastError: null });
    await vectors.giveUp(first, 'model');
    expect(await vectors.want([id], 'model')).toBe(0);
    expect(await vectors.want([id], 'another')).toBe(1);
    await vectors.giveUp((await vectors.claim())!, 'another');
    // As a file was given up once, without a word of the weights.
    await db().query('update vector_store_file set vectors_of = null where store_id = $1', [id]);
    expect(await vectors.want([id], 'another')).toBe(1);
    expect(await vectors.claim()).not.toBeNull();
  });
});
