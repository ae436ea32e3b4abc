import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

describe.skipIf(!testModel)(`webhooks (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  let openai: OpenAI;
  let receiver: Server;
  let url: string;
  let received: Received[] = [];
  let answers: number[] = [];
  beforeAll(async () => {
    gateway = await startTestGateway();
    openai = gateway.client(gateway.adminKey);
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        received.push({ headers: request.headers, body });
        response.writeHead(answers.shift() ?? 200).end();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => receiver.once('listening', resolve));
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  });
  afterAll(async () => {
    await gateway?.close();
    receiver?.close();
  });
  beforeEach(() => {
    received = [];
    answers = [];
  });

  const announce = (type: string, id: string) =>
    gateway.dataSource.query('select announce_webhook($1, $2)', [type, id]);
  const create = (types: OpenAI.Webhooks.WebhookCreateParams['event_types']) =>
    openai.webhooks.create({ name: 'tests', url, event_types: types });

  it('signs events so that the official client opens them', async () => {
    const endpoint = await create(['fine_tuning.job.succeeded']);
    await announce('fine_tuning.job.succeeded', 'job_1');
    await announce('fine_tuning.job.failed', 'job_2');
    await expect.poll(() => received.length).toBe(1);
    const { headers, body } = received[0];
    const event = await openai.webhooks.unwrap(body, headers as Record<string, string>, endpoint.signing_secret);
    expect(event).toMatchObject({ object: 'event', type: 'fine_tuning.job.succeeded', data: { id: 'job_1' } });
    expect(event.id).toMatch(/^evt_/);
    const wrong = `whsec_${Buffer.from('another secret').toString('base64')}`;
    await expect(openai.webhooks.unwrap(body, headers as Record<string, string>, wrong)).rejects.toThrow();
    await openai.webhooks.delete(endpoint.id);
  });

  it('sends again what an endpoint did not take, as the same event', async () => {
    const endpoint = await create(['batch.completed']);
    answers = [500];
    await announce('batch.completed', 'batch_1');
    await expect.poll(() => received.length).toBe(1);
    const due = () => gateway.dataSource.query('select * from webhook_delivery where endpoint_id = $1', [endpoint.id]);
    await expect.poll(async () => (await due())[0].last_error).toContain('answered 500');
    await gateway.dataSource.query(`update webhook_delivery set next_attempt_at = now() where endpoint_id = $1`, [
      endpoint.id,
    ]);
    await expect.poll(() => received.length, { timeout: 15_000 }).toBe(2);
    expect(received[1].headers['webhook-id']).toBe(received[0].headers['webhook-id']);
    await expect.poll(async () => (await due())[0].delivered_at).not.toBeNull();
    await openai.webhooks.delete(endpoint.id);
  });

  it('accepts both secrets for a day when the old one is kept', async () => {
    const endpoint = await create(['eval.run.succeeded']);
    const rotated = await openai.webhooks.rotateSecret(endpoint.id, { keep_old_secret_active_for_24_hours: true });
    expect(rotated.signing_secret).not.toBe(endpoint.signing_secret);
    await announce('eval.run.succeeded', 'evalrun_1');
    await expect.poll(() => received.length).toBe(1);
    const headers = received[0].headers as Record<string, string>;
    for (const { signing_secret: secret } of [endpoint, rotated]) {
      await expect(openai.webhooks.unwrap(received[0].body, headers, secret)).resolves.toBeDefined();
    }
    await openai.webhooks.delete(endpoint.id);
  });

  it('tells of responses in the background, and of no others', async () => {
    const endpoint = await create(['response.completed', 'response.incomplete']);
    const ask = { model: gateway.model, input: 'Hi', max_output_tokens: 16 };
    await gateway.openai.responses.create(ask);
    const { id } = await gateway.openai.responses.create({ ...ask, background: true });
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
    expect(JSON.parse(received[0].body)).toMatchObject({ data: { id } });
    await openai.webhooks.delete(endpoint.id);
  });

  it('manages endpoints, and tells their secret once', async () => {
    const endpoint = await create(['response.completed']);
    expect(await openai.webhooks.retrieve(endpoint.id)).not.toHaveProperty('signing_secret');
    expect((await openai.webhooks.update(endpoint.id, { name: 'renamed' })).name).toBe('renamed');
    const listed = await openai.webhooks.list();
    expect(listed.data.map((one) => one.id)).toContain(endpoint.id);
    expect(await openai.webhooks.test(endpoint.id, { event_type: 'response.completed' })).toMatchObject({
      success: true,
      status_code: 200,
    });
    answers = [404];
    await expect(openai.webhooks.test(endpoint.id, { event_type: 'response.completed' })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('answered 404'),
    });
    expect((await openai.webhooks.eventTypes.list()).data).toContain('fine_tuning.job.succeeded');
    await expect(openai.webhooks.create({ name: 'x', url: 'ftp://x', event_types: [] })).rejects.toMatchObject({
      status: 400,
    });
    await expect(gateway.openai.webhooks.list()).rejects.toMatchObject({ status: 403 });
    expect(await openai.webhooks.delete(endpoint.id)).toMatchObject({ deleted: true });
  });
});
