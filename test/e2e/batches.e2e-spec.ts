import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

type Line = { id: string; custom_id: string; response: { status_code: number; body: OpenAI.ChatCompletion } | null };

describe.skipIf(!testModel)(`batches (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  beforeAll(async () => {
    gateway = await startTestGateway();
    openai = gateway.openai;
  });
  afterAll(() => gateway?.close());

  const request = (custom_id: string, body: object = {}) => ({
    custom_id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model: gateway.model,
      messages: [{ role: 'user', content: `Say ${custom_id}` }],
      max_tokens: 4,
      temperature: 0,
      ...body,
    },
  });
  const create = async (rows: object[]) => {
    const content = rows.map((row) => JSON.stringify(row)).join('\n');
    const file = await openai.files.create({ file: await toFile(Buffer.from(content), 'in.jsonl'), purpose: 'batch' });
    return openai.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { team: 'night' },
    });
  };
  const ended = async (id: string) => {
    await expect
      .poll(async () => (await openai.batches.retrieve(id)).status, { timeout: 60_000, interval: 100 })
      .toMatch(/^(completed|failed|cancelled|expired)$/);
    return openai.batches.retrieve(id);
  };
  const linesOf = async (fileId: string): Promise<Line[]> =>
    (await (await openai.files.content(fileId)).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  it('answers every line as the endpoint would, and tells failures apart', async () => {
    const rows = [...Array(6).keys()].map((i) => request(`row ${i}`));
    const batch = await create([...rows, request('bad', { temperature: 99 })]);
    expect(batch).toMatchObject({ object: 'batch', status: 'validating', metadata: { team: 'night' } });
    const done = await ended(batch.id);
    expect(done).toMatchObject({ status: 'completed', request_counts: { total: 7, completed: 6, failed: 1 } });
    const output = await linesOf(done.output_file_id!);
    expect(output.map((line) => line.custom_id)).toEqual(rows.map((row) => row.custom_id));
    const alone = await openai.chat.completions.create(
      rows[2].body as never as OpenAI.ChatCompletionCreateParamsNonStreaming,
    );
    expect(output[2].response!.body.choices[0].message.content).toBe(alone.choices[0].message.content);
    expect(await linesOf(done.error_file_id!)).toMatchObject([
      { custom_id: 'bad', response: { status_code: 400, body: { error: { param: 'temperature' } } } },
    ]);
  });

  it('says what is wrong with a file, line by line', async () => {
    const batch = await create([request('a'), { ...request('b'), url: '/v1/embeddings' }, request('a')]);
    const done = await ended(batch.id);
    expect(done.status).toBe('failed');
    expect(done.errors!.data).toMatchObject([
      { line: 2, code: 'mismatched_url' },
      { line: 3, code: 'duplicate_custom_id' },
    ]);
    const note = await openai.files.create({ file: await toFile(Buffer.from('x'), 'x.txt'), purpose: 'user_data' });
    const wrong = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    for (const input_file_id of [note.id, 'file-none']) {
      await expect(openai.batches.create({ ...wrong, input_file_id })).rejects.toMatchObject({
        status: 400,
        param: 'input_file_id',
      });
    }
  });

  it('stops when it is cancelled and keeps what was answered', async () => {
    const batch = await create([...Array(400).keys()].map((i) => request(`row ${i}`, { max_tokens: 40 })));
    await expect
      .poll(async () => (await openai.batches.retrieve(batch.id)).request_counts!.completed, { timeout: 30_000 })
      .toBeGreaterThan(0);
    expect((await openai.batches.cancel(batch.id)).status).toBe('cancelling');
    const done = await ended(batch.id);
    expect(done.status).toBe('cancelled');
    expect(done.request_counts!.completed).toBeLessThan(400);
    expect(await linesOf(done.output_file_id!)).toHaveLength(done.request_counts!.completed);
    await expect(openai.batches.cancel(batch.id)).rejects.toMatchObject({ status: 409 });
  });

  it('answers every line of a key that may answer one at a time', async () => {
    const secret = await gateway.createKey('Nina', 'user');
    const { body } = await gateway.api(secret, 'GET', '/api/session');
    await gateway.api(gateway.adminKey, 'POST', `/api/keys/${body.key_id}/quota`, { max_concurrent: 1 });
    const own = gateway.client(secret);
    const rows = [...Array(12).keys()].map((i) => JSON.stringify(request(`row ${i}`))).join('\n');
    const file = await own.files.create({ file: await toFile(Buffer.from(rows), 'in.jsonl'), purpose: 'batch' });
    const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const { id } = await own.batches.create(asked);
    await expect.poll(async () => (await own.batches.retrieve(id)).status, { timeout: 30_000 }).toBe('completed');
    expect((await own.batches.retrieve(id)).request_counts).toEqual({ total: 12, completed: 12, failed: 0 });
  });

  it('goes on with what another gateway left behind', async () => {
    const batch = await create([request('a'), request('b')]);
    const done = await ended(batch.id);
    const [first] = await linesOf(done.output_file_id!);
    // As if the gateway had been killed after the first line.
    await gateway.dataSource.query(
      `insert into batch_result (batch_id, line, succeeded, output) values ($1, 0, true, $2)`,
      [batch.id, JSON.stringify({ ...first, id: 'batch_req_of_another' })],
    );
    await gateway.dataSource.query(
      `update batch set status = 'in_progress', leased_until = clock_timestamp() - interval '1 s' where id = $1`,
      [batch.id],
    );
    await expect
      .poll(async () => (await openai.batches.retrieve(batch.id)).status, { timeout: 20_000 })
      .toBe('completed');
    const output = await linesOf((await openai.batches.retrieve(batch.id)).output_file_id!);
    expect(output).toMatchObject([{ id: 'batch_req_of_another', custom_id: 'a' }, { custom_id: 'b' }]);
    expect((await openai.batches.retrieve(batch.id)).request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
  });

  it('are made once, however often the same request comes with the same key', async () => {
    const file = await openai.files.create({
      file: await toFile(Buffer.from(JSON.stringify(request('a'))), 'in.jsonl'),
      purpose: 'batch',
    });
    const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const keyed = (fields: object = {}) =>
      openai.batches.create({ ...asked, ...fields }, { headers: { 'Idempotency-Key': 'batch' } });
    const { id } = await keyed();
    expect((await keyed()).id).toBe(id);
    await ended(id);
    expect(await keyed()).toMatchObject({ id, status: 'completed' });
    await expect(keyed({ metadata: { a: 'b' } })).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('lists a user’s own batches only', async () => {
    const other = gateway.client(await gateway.createKey('Otto', 'user'));
    expect((await other.batches.list()).data).toEqual([]);
    expect((await openai.batches.list({ limit: 1 })).has_more).toBe(true);
  });
});
