import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AccountRepository, type DataSource } from '@attune/persistence';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { gatewayIsBuilt, startGatewayProcess, type GatewayProcess } from '../support/gateway-process.js';

const ENDED = /^(completed|failed|cancelled|canceled|expired)$/;
const patience = { timeout: 120_000, interval: 200 };
/** Many enough that a gateway is killed before any machine has done them all. */
const LINES = 300;
const ROWS = 300;
const words = Array.from({ length: 20_000 }, (_, i) => `Sentence ${i} is about item ${i}.`).join(' ');

/** Jobs of the three kinds, by the official client. */
const jobsOf = (openai: OpenAI, model: string) => ({
  batch: async (lines: number, max_tokens = 8) => {
    const rows = Array.from({ length: lines }, (_, i) => ({
      custom_id: `row ${i}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model, messages: [{ role: 'user', content: `Say ${i}` }], max_tokens },
    }));
    const content = rows.map((row) => JSON.stringify(row)).join('\n');
    const file = await openai.files.create({ file: await toFile(Buffer.from(content), 'in.jsonl'), purpose: 'batch' });
    const body = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    return openai.batches.create({ input_file_id: file.id, ...body });
  },
  run: async (rows: number) => {
    const made = await openai.evals.create({
      data_source_config: { type: 'custom', item_schema: { type: 'object' } },
      testing_criteria: [
        { type: 'string_check', name: 'said', operation: 'ne', input: '{{sample.output_text}}', reference: 'never' },
      ],
    });
    const content = Array.from({ length: rows }, (_, i) => ({ item: { question: `Tell me ${i}` } }));
    const run = await openai.evals.runs.create(made.id, {
      data_source: {
        type: 'completions',
        source: { type: 'file_content', content },
        input_messages: { type: 'template', template: [{ role: 'user', content: '{{item.question}}' }] },
        model,
        sampling_params: { max_completion_tokens: 8 },
      },
    });
    return { id: run.id, eval_id: made.id };
  },
  store: async (files: number) => {
    const ids: string[] = [];
    for (let i = 0; i < files; i++) {
      const file = await toFile(Buffer.from(words), `many ${i}.txt`);
      ids.push((await openai.files.create({ file, purpose: 'assistants' })).id);
    }
    return openai.vectorStores.create({ file_ids: ids });
  },
});

describe.skipIf(!testModel || !gatewayIsBuilt)(
  `background jobs of a gateway that is killed (${testModel ? (gatewayIsBuilt ? 'for real' : 'apps/gateway is not built') : noModel})`,
  () => {
    let database: TestDatabase;
    let dataDir: string;
    let secret: string;
    const running: GatewayProcess[] = [];
    beforeAll(async () => {
      database = await createTestDatabase();
      dataDir = mkdtempSync(path.join(tmpdir(), 'attune-killed-'));
      const accounts = new AccountRepository(database.dataSource);
      const user = await accounts.createUser({ name: 'Ursula', role: 'user' });
      secret = (await accounts.createKey({ userId: user.id, name: 'key' })).secret;
    });
    afterAll(async () => {
      for (const gateway of running) await gateway.kill();
      await database?.close();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const start = async () => {
      const gateway = await startGatewayProcess({ databaseUrl: database.url, dataDir, model: testModel! });
      running.push(gateway);
      return { ...gateway, openai: new OpenAI({ apiKey: secret, baseURL: `${gateway.baseUrl}/v1`, maxRetries: 3 }) };
    };
    const db = (): DataSource => database.dataSource;
    const count = async (sql: string, parameters: unknown[] = []) =>
      ((await db().query(`select count(*)::int as n from ${sql}`, parameters)) as { n: number }[])[0].n;
    /** As if the minute a claim holds had passed. */
    const expireClaims = async () => {
      for (const table of ['batch', 'eval_run', 'vector_store_file']) {
        await db().query(`update ${table} set leased_until = clock_timestamp() - interval '1 s'
                          where leased_until is not null`);
      }
    };

    it('are gone on with by the next: nothing is lost, done twice or left half-written', async () => {
      const first = await start();
      const jobs = jobsOf(first.openai, 'default');
      const batch = await jobs.batch(LINES);
      const run = await jobs.run(ROWS);
      const store = await jobs.store(6);
      const unread = () => count(`vector_store_file where store_id = $1 and status = 'in_progress'`, [store.id]);
      await expect.poll(unread, patience).toBeLessThan(6);
      await expect.poll(() => count('batch_result where batch_id = $1', [batch.id]), patience).toBeGreaterThan(3);
      await expect.poll(() => count('eval_output_item where run_id = $1', [run.id]), patience).toBeGreaterThan(3);
      await first.kill();
      const left = [
        await count('batch_result where batch_id = $1', [batch.id]),
        await count('eval_output_item where run_id = $1', [run.id]),
      ];
      expect(left[0]).toBeLessThan(LINES);
      expect(left[1]).toBeLessThan(ROWS);
      await expireClaims();

      const { openai } = await start();
      await expect.poll(async () => (await openai.batches.retrieve(batch.id)).status, patience).toMatch(ENDED);
      const done = await openai.batches.retrieve(batch.id);
      expect(done).toMatchObject({
        status: 'completed',
        request_counts: { total: LINES, completed: LINES, failed: 0 },
        error_file_id: null,
      });
      const output = (await (await openai.files.content(done.output_file_id!)).text()).trim().split('\n');
      expect(output.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id)).toEqual(
        Array.from({ length: LINES }, (_, i) => `row ${i}`),
      );
      expect(await count(`stored_file where filename like $1`, [`${batch.id}%`])).toBe(1);

      const ofRun = () => openai.evals.runs.retrieve(run.id, { eval_id: run.eval_id });
      await expect.poll(async () => (await ofRun()).status, patience).toMatch(ENDED);
      expect(await ofRun()).toMatchObject({
        status: 'completed',
        result_counts: { total: ROWS, passed: ROWS, failed: 0, errored: 0 },
      });

      await expect.poll(unread, patience).toBe(0);
      expect((await openai.vectorStores.retrieve(store.id)).file_counts).toMatchObject({ completed: 6, total: 6 });
      const passages: { n: number; last: number }[] = await db().query(
        `select count(*)::int as n, max(ordinal) as last from vector_store_passage where store_id = $1 group by file_id`,
        [store.id],
      );
      expect(new Set(passages.map(({ n }) => n)).size).toBe(1);
      for (const { n, last } of passages) expect(last).toBe(n - 1);
    });
  },
);

describe.skipIf(!testModel)(`background jobs that cannot be done (${testModel ? 'for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());

  /** Every write of such a row fails, in a way nobody foresaw. */
  const breakWrites = (table: string, when = 'true') =>
    gateway.dataSource.query(`
      create or replace function broken_${table}() returns trigger language plpgsql as $$
      begin if ${when} then raise exception 'this row breaks'; end if; return new; end $$;
      create trigger broken before insert on ${table} for each row execute function broken_${table}()`);

  it('are tried a few times and then failed with the reason, keeping what was done', async () => {
    const { openai } = gateway;
    const jobs = jobsOf(openai, gateway.model);
    await breakWrites('batch_result', 'new.line = 5');
    await breakWrites('eval_output_item', 'new.ordinal = 5');
    await breakWrites('vector_store_passage');
    const batch = await jobs.batch(6);
    const run = await jobs.run(6);
    const store = await jobs.store(1);
    await expect.poll(async () => (await openai.batches.retrieve(batch.id)).status, patience).toMatch(ENDED);
    const failed = await openai.batches.retrieve(batch.id);
    expect(failed).toMatchObject({
      status: 'failed',
      errors: { data: [{ code: 'server_error', message: expect.stringContaining('this row breaks') }] },
      request_counts: { total: 6, completed: 5 },
    });
    expect(failed.failed_at).toBeGreaterThan(0);
    const output = await (await openai.files.content(failed.output_file_id!)).text();
    expect(output.trim().split('\n')).toHaveLength(5);

    const ofRun = () => openai.evals.runs.retrieve(run.id, { eval_id: run.eval_id });
    await expect.poll(async () => (await ofRun()).status, patience).toMatch(ENDED);
    expect(await ofRun()).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('this row breaks') },
      result_counts: { total: 6, passed: 5 },
    });
    const inStore = async () => (await openai.vectorStores.files.list(store.id)).data[0];
    await gateway.dataSource.query(`update vector_store_file set leased_until = null where lease_owner is null`);
    await expect.poll(async () => (await inStore()).status, patience).toBe('failed');
    expect((await inStore()).last_error).toMatchObject({ code: 'server_error' });
    // Others are not held up by them.
    await gateway.dataSource.query('drop trigger broken on batch_result');
    const next = await jobs.batch(1);
    await expect.poll(async () => (await openai.batches.retrieve(next.id)).status, patience).toBe('completed');
  });

  it('are failed without being begun again when each gateway that began them ended', async () => {
    const { openai, dataSource } = gateway;
    const jobs = jobsOf(openai, gateway.model);
    await dataSource.query(`alter table batch alter column attempts set default 3`);
    const batch = await jobs.batch(2);
    await expect.poll(async () => (await openai.batches.retrieve(batch.id)).status, patience).toBe('failed');
    expect((await openai.batches.retrieve(batch.id)).errors!.data![0].message).toMatch(/ended 3 times/);
    await dataSource.query(`alter table batch alter column attempts set default 0`);
  });
});
