import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompletionRepository } from '@attune/persistence';
import { createGateway } from '../../apps/gateway/src/create-gateway.js';
import { loadModel } from '../../apps/gateway/src/inference/load-model.js';
import { createLogger } from '@attune/platform';
import { createAuthor, newCompletion } from '../support/rows.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

describe.skipIf(!testModel)(`health, metrics and stopping (${testModel ? 'of the real gateway' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());

  const ask = (fields: object = {}) =>
    gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Once upon a time' }],
      max_tokens: 6,
      ...fields,
    });

  it('is ready when database and engine answer', async () => {
    expect(await gateway.api('', 'GET', '/health/live')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await gateway.api('', 'GET', '/health/ready')).toEqual({
      status: 200,
      body: { status: 'ok', model: gateway.model },
    });
  });

  it('counts requests, tokens and times for Prometheus', async () => {
    const before = await numbers();
    await ask();
    const after = await numbers();
    const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown('attune_tokens_total{kind="completion"}')).toBe(6);
    expect(grown('attune_completions_total{stop_reason="length"}')).toBe(1);
    expect(grown('attune_time_to_first_token_seconds_count')).toBe(1);
    expect(grown('attune_inter_token_seconds_count')).toBe(1);
    expect(grown('attune_http_requests_total{route="/v1/chat/completions",status="200"}')).toBe(1);
    expect(after.get('attune_engine_ready')).toBe(1);
    expect(after.get('attune_queue_depth')).toBe(0);
  });

  it('marks what a dead gateway left open as lost, and finishes what runs before it stops', async () => {
    const { user } = await createAuthor(gateway.dataSource);
    const { conversationId } = await conversation();
    const left = newCompletion(user, conversationId);
    const completions = new CompletionRepository(gateway.dataSource);
    await completions.open({ ...left, instanceId: 'gw_killed' });
    const logger = createLogger('gateway', 'silent');
    const second = await createGateway(gateway.config, logger, await endlessModel());
    expect((await completions.get(left.id)).status).toBe('lost');

    const client = gateway.client(gateway.userKey);
    client.baseURL = `http://127.0.0.1:${second.port}/v1`;
    const stream = await client.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Once upon a time' }],
      max_tokens: 60,
      stream: true,
    });
    let closed: Promise<void> | undefined;
    let reason: string | null = null;
    let id = '';
    for await (const chunk of stream) {
      closed ??= second.close();
      id = chunk.id;
      reason = chunk.choices[0].finish_reason;
    }
    expect(reason).not.toBeNull();
    const from = Date.now();
    await closed;
    expect(Date.now() - from).toBeLessThan(5_000);
    expect((await completions.get(id)).status).toBe('done');
    await expect(client.models.list()).rejects.toThrow();
  });

  it('cuts answers that outlast its patience, and their rows say so', async () => {
    const logger = createLogger('gateway', 'silent');
    const second = await createGateway(gateway.config, logger, await endlessModel());
    const client = gateway.client(gateway.userKey);
    client.baseURL = `http://127.0.0.1:${second.port}/v1`;
    const stream = await client.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Once upon a time' }],
      max_tokens: 400,
      stream: true,
    });
    let id = '';
    const read = (async () => {
      for await (const chunk of stream) id = chunk.id;
    })().catch((error: Error) => error.message);
    await expect.poll(() => id).not.toBe('');
    await second.close(0);
    expect(await read).toContain('cancelled');
    expect((await new CompletionRepository(gateway.dataSource).get(id)).status).toBe('cancelled');
  });

  async function endlessModel() {
    const loaded = await loadModel(gateway.config, createLogger('gateway', 'silent'));
    Object.defineProperty(loaded.model.tokenizer, 'eosIds', { value: [] });
    return loaded;
  }

  async function conversation() {
    const { id } = await ask();
    return new CompletionRepository(gateway.dataSource).get(id);
  }

  async function numbers(): Promise<Map<string, number>> {
    const { body } = await gateway.api(gateway.adminKey, 'GET', '/metrics');
    const lines = String(body)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }
});
