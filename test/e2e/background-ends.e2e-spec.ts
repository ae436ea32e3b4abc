import OpenAI, { toFile } from 'openai';
import { AccountRepository } from '@attune/persistence';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

/** Tokens of an answer that has not come to its end when it is cut. */
const LONG = 900;

describe.skipIf(!testModel)(`work in the background that ends early (${testModel ? 'for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());

  const linesOf = async (openai: OpenAI, fileId: string) =>
    (await (await openai.files.content(fileId)).text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('a batch whose key is revoked keeps what is done, and says of every other line why it is not', async () => {
    const accounts = new AccountRepository(gateway.dataSource);
    const user = await accounts.createUser({ name: 'Nina', role: 'user' });
    const [working, reading] = [
      await accounts.createKey({ userId: user.id, name: 'works' }),
      await accounts.createKey({ userId: user.id, name: 'reads' }),
    ];
    const openai = gateway.client(working.secret);
    const rows = Array.from({ length: 60 }, (_, i) => ({
      custom_id: `row ${i}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: gateway.model, messages: [{ role: 'user', content: `Say ${i}` }], max_tokens: 40 },
    }));
    const content = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'));
    const file = await openai.files.create({ file: await toFile(content, 'in.jsonl'), purpose: 'batch' });
    const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const { id } = await openai.batches.create(asked);
    const found = gateway.client(reading.secret);
    const counts = async () => (await found.batches.retrieve(id)).request_counts!;
    await expect.poll(async () => (await counts()).completed, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    await gateway.api(gateway.adminKey, 'DELETE', `/api/keys/${working.key.id}`);
    await expect.poll(async () => (await found.batches.retrieve(id)).status, { timeout: 30_000 }).toBe('completed');
    const done = await found.batches.retrieve(id);
    const { completed, failed } = done.request_counts!;
    expect(completed + failed).toBe(60);
    expect(completed).toBeLessThan(60);
    const answered = await linesOf(found, done.output_file_id!);
    expect(answered).toHaveLength(completed);
    for (const { response } of answered) expect(response.body.usage.completion_tokens).toBe(40);
    const refused = await linesOf(found, done.error_file_id!);
    expect(refused).toHaveLength(failed);
    for (const { response } of refused) {
      expect(response).toMatchObject({
        status_code: 401,
        body: { error: { code: 'invalid_api_key', message: expect.stringContaining('revoked') } },
      });
    }
  });

  it('an eval run that is cancelled ends the rows under way', async () => {
    const { openai } = gateway;
    const { id: eval_id } = await openai.evals.create({
      data_source_config: { type: 'custom', item_schema: { type: 'object' } },
      testing_criteria: [
        { type: 'string_check', name: 'said', operation: 'ne', input: '{{sample.output_text}}', reference: 'never' },
      ],
    });
    for (const type of ['completions', 'responses'] as const) {
      const content = Array.from({ length: 200 }, (_, i) => ({ item: { question: `Tell me ${i}` } }));
      const run = await openai.evals.runs.create(eval_id, {
        data_source: {
          type,
          source: { type: 'file_content', content },
          input_messages: { type: 'template', template: [{ role: 'user', content: '{{item.question}}' }] },
          model: gateway.model,
          sampling_params: { max_completion_tokens: LONG },
        } as never,
      });
      const running = async () => (await gateway.loaded.engine.stats()).running;
      await expect.poll(running, { timeout: 30_000, interval: 20 }).toBe(4);
      expect((await openai.evals.runs.cancel(run.id, { eval_id })).status).toBe('canceled');
      const cut = async () => {
        const rows: { status: string; completion_tokens: number }[] = await gateway.dataSource.query(
          `select status, completion_tokens from completion where source = $1 and status not in ('open', 'done')`,
          [type === 'responses' ? 'responses' : 'chat'],
        );
        return rows;
      };
      // Sooner than the claim is looked at anyway.
      await expect.poll(async () => (await cut()).length, { timeout: 1_900, interval: 20 }).toBe(4);
      await expect.poll(running, { timeout: 10_000 }).toBe(0);
      for (const row of await cut()) {
        expect(row.status).toBe('cancelled');
        expect(row.completion_tokens).toBeLessThan(LONG);
      }
      const { status, result_counts: found } = await openai.evals.runs.retrieve(run.id, { eval_id });
      expect([status, found]).toMatchObject(['canceled', { passed: 0, failed: 0, errored: 0 }]);
    }
  });
});
