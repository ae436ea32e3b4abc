import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

describe.skipIf(!testModel)(`quotas and use (${testModel ? 'for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());

  async function keyWith(name: string, quota: object) {
    const secret = await gateway.createKey(name, 'user');
    const { body } = await gateway.api(secret, 'GET', '/api/session');
    const set = await gateway.api(gateway.adminKey, 'POST', `/api/keys/${body.key_id}/quota`, quota);
    expect(set.status).toBe(200);
    return { id: body.key_id as string, openai: gateway.client(secret), secret };
  }
  const ask = (openai: TestGateway['openai'], max_tokens = 4) =>
    openai.chat.completions.create({ model: gateway.model, messages: [{ role: 'user', content: 'Hi' }], max_tokens });

  it('ends a key’s day after so many requests, on every door, and lets others go on', async () => {
    const { openai } = await keyWith('Quentin', { requests_per_day: 2 });
    await ask(openai);
    await openai.responses.create({ model: gateway.model, input: 'Hi', max_output_tokens: 4 });
    await expect(ask(openai)).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
    await expect(openai.responses.create({ model: gateway.model, input: 'Hi' })).rejects.toMatchObject({ status: 429 });
    await ask(gateway.openai);
  });

  it('ends it after so many tokens, until an admin raises the quota', async () => {
    const { id, openai } = await keyWith('Tamara', { tokens_per_day: 10 });
    await ask(openai, 20);
    await expect
      .poll(
        () =>
          ask(openai).then(
            () => 'answered',
            (error: { code: string }) => error.code,
          ),
        { timeout: 5_000 },
      )
      .toBe('insufficient_quota');
    await gateway.api(gateway.adminKey, 'POST', `/api/keys/${id}/quota`, { tokens_per_day: null });
    await ask(openai);
  });

  it('counts embeddings as it counts answers', async () => {
    const { id, openai, secret } = await keyWith('Emil', { tokens_per_day: 20 });
    const { usage } = await openai.embeddings.create({ model: gateway.model, input: ['Hello there', 'you'] });
    const use = await gateway.api(secret, 'GET', '/api/usage?days=1');
    expect(use.body.data).toEqual([
      expect.objectContaining({ key_id: id, num_requests: 1, prompt_tokens: usage.prompt_tokens }),
    ]);
    await openai.embeddings.create({ model: gateway.model, input: 'dog '.repeat(30) });
    const code = () =>
      openai.embeddings.create({ model: gateway.model, input: 'Hi' }).then(
        () => 'answered',
        (error: { code: string }) => error.code,
      );
    await expect.poll(code, { timeout: 5_000 }).toBe('insufficient_quota');
    await expect(ask(openai)).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
  });

  it('bounds how many answers a key has at once', async () => {
    const { openai } = await keyWith('Cora', { max_concurrent: 1 });
    const first = ask(openai, 200);
    await expect
      .poll(
        () =>
          ask(openai, 1).then(
            () => 'answered',
            (error: { code: string }) => error.code,
          ),
        { interval: 5 },
      )
      .toBe('concurrency_limit_exceeded');
    await first;
  });

  it('tells what each key has used, a user their own only', async () => {
    const { id, openai, secret } = await keyWith('Ulla', {});
    const { usage } = await ask(openai);
    const own = await gateway.api(secret, 'GET', '/api/usage?days=1');
    expect(own.body.data).toEqual([
      expect.objectContaining({
        key_id: id,
        user_name: 'Ulla',
        num_requests: 1,
        prompt_tokens: usage!.prompt_tokens,
        completion_tokens: usage!.completion_tokens,
        day: new Date().toISOString().slice(0, 10),
      }),
    ]);
    const all = await gateway.api(gateway.adminKey, 'GET', '/api/usage');
    expect(all.body.data.length).toBeGreaterThan(1);
    expect((await gateway.api(secret, 'POST', `/api/keys/${id}/quota`, {})).status).toBe(403);
    expect((await gateway.api(gateway.adminKey, 'POST', `/api/keys/${id}/quota`, { tokens: 1 })).status).toBe(400);
  });

  it('moderates texts by its rules', async () => {
    const { results, model } = await gateway.openai.moderations.create({ input: ['Hello there', 'I will kill you'] });
    expect(model).toMatch(/^rules-/);
    expect(results.map((result) => result.flagged)).toEqual([false, true]);
    expect(results[1].categories['harassment/threatening']).toBe(true);
    const image = [{ type: 'image_url' as const, image_url: { url: 'https://example.com/x.png' } }];
    await expect(gateway.openai.moderations.create({ input: image })).rejects.toMatchObject({ status: 400 });
  });
});
