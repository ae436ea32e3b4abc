import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const question = { role: 'user' as const, content: 'Tell me about a dog.' };

describe.skipIf(!testModel)(`stored completions (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  const made: OpenAI.ChatCompletion[] = [];
  const ask = (fields: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}, headers = {}) =>
    gateway.openai.chat.completions.create(
      { model: gateway.model, messages: [question], max_tokens: 6, seed: 1, ...fields },
      { headers },
    );
  beforeAll(async () => {
    gateway = await startTestGateway();
    for (const turn of ['1', '2', '3']) made.push(await ask({ store: true, metadata: { turn, kind: 'test' } }));
  });
  afterAll(() => gateway?.close());

  it('are kept for who asked to store them, with how they were asked for', async () => {
    const unstored = await ask();
    await expect(gateway.openai.chat.completions.retrieve(unstored.id)).rejects.toMatchObject({ status: 404 });
    const kept = await gateway.openai.chat.completions.retrieve(made[0].id);
    expect(kept).toMatchObject({
      id: made[0].id,
      object: 'chat.completion',
      choices: made[0].choices,
      usage: { total_tokens: made[0].usage!.total_tokens },
      metadata: { turn: '1', kind: 'test' },
      seed: 1,
      temperature: 1,
      system_fingerprint: made[0].system_fingerprint,
    });
  });

  it('are listed page by page, in order, by their notes', async () => {
    const { chat } = gateway.openai;
    const ids = made.map((one) => one.id);
    const all: string[] = [];
    for await (const one of chat.completions.list({ limit: 1, order: 'asc' })) all.push(one.id);
    expect(all).toEqual(ids);
    const newest = await chat.completions.list({ limit: 2, order: 'desc' });
    expect(newest.data.map((one) => one.id)).toEqual([ids[2], ids[1]]);
    expect(newest.has_more).toBe(true);
    const noted = await chat.completions.list({ metadata: { turn: '2' } });
    expect(noted.data.map((one) => one.id)).toEqual([ids[1]]);
    expect((await chat.completions.list({ model: 'another' })).data).toEqual([]);
    await expect(gateway.api(gateway.userKey, 'GET', '/v1/chat/completions?colour=red')).resolves.toMatchObject({
      status: 400,
      body: { error: { param: 'colour' } },
    });
  });

  it('tell the messages they answered', async () => {
    const messages = await gateway.openai.chat.completions.messages.list(made[0].id);
    expect(messages.data).toEqual([{ id: `${made[0].id}-0`, ...question, content_parts: null }]);
    const none = await gateway.openai.chat.completions.messages.list(made[0].id, { after: messages.data[0].id });
    expect(none.data).toEqual([]);
  });

  it('take other notes, and go when they are deleted', async () => {
    const one = await ask({ store: true, metadata: { a: 'b' } });
    const { chat } = gateway.openai;
    expect((await chat.completions.update(one.id, { metadata: { c: 'd' } })).metadata).toEqual({ c: 'd' });
    expect((await chat.completions.retrieve(one.id)).metadata).toEqual({ c: 'd' });
    expect(await chat.completions.delete(one.id)).toEqual({
      object: 'chat.completion.deleted',
      id: one.id,
      deleted: true,
    });
    await expect(chat.completions.retrieve(one.id)).rejects.toMatchObject({ status: 404 });
    await expect(chat.completions.delete(one.id)).rejects.toMatchObject({ status: 404 });
  });

  it('are nobody else’s', async () => {
    const other = gateway.client(await gateway.createKey('Otto', 'user')).chat.completions;
    expect((await other.list()).data).toEqual([]);
    await expect(other.retrieve(made[0].id)).rejects.toMatchObject({ status: 404 });
    await expect(other.update(made[0].id, { metadata: {} })).rejects.toMatchObject({ status: 404 });
    await expect(other.delete(made[0].id)).rejects.toMatchObject({ status: 404 });
    await expect(other.messages.list(made[0].id)).rejects.toMatchObject({ status: 404 });
  });

  it('hold all choices of a request', async () => {
    const several = await ask({ store: true, n: 3, temperature: 1.5 });
    const kept = await gateway.openai.chat.completions.retrieve(several.id);
    expect(kept.choices).toEqual(several.choices);
    expect(kept.usage).toMatchObject({ completion_tokens: several.usage!.completion_tokens });
    const listed = await gateway.openai.chat.completions.list({ order: 'desc', limit: 1 });
    expect(listed.data[0].choices).toHaveLength(3);
  });
});

describe.skipIf(!testModel)(`idempotency keys (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());
  const ask = (key: string, fields: object = {}, path = '/v1/chat/completions') =>
    fetch(gateway.baseUrl + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${gateway.userKey}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ model: gateway.model, messages: [question], max_tokens: 8, temperature: 1.5, ...fields }),
    });

  it('give a repeated request the answer of the first', async () => {
    const first = await ask('key-1', { n: 2 });
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    const second = await ask('key-1', { n: 2 });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await second.json()).toEqual(await first.json());
    const [{ count }] = await gateway.dataSource.query(
      `select count(*)::int as count from completion
       where id in (select unnest(answer_ids) from idempotent_request where key = 'key-1')`,
    );
    expect(count).toBe(2);
  });

  it('give all choices or none: one that failed is not told again without the others', async () => {
    const ids = async () => {
      const answer = await ask('key-6', { n: 2 });
      return ((await answer.json()).choices as { completion_id: string }[]).map((one) => one.completion_id);
    };
    const first = await ids();
    await gateway.dataSource.query(`update completion set status = 'failed' where id = $1`, [first[1]]);
    const second = await ids();
    expect(second).toHaveLength(2);
    expect(second).not.toContain(first[0]);
    expect(await ids()).toEqual(second);
  });

  it('refuse another request, and one that is still being answered', async () => {
    await ask('key-2');
    const other = await ask('key-2', { max_tokens: 9 });
    expect([other.status, (await other.json()).error.code]).toEqual([400, 'idempotency_key_reused']);
    const [a, b] = await Promise.all([ask('key-3', { max_tokens: 200 }), ask('key-3', { max_tokens: 200 })]);
    expect([a.status, b.status].toSorted()).toEqual([200, 409]);
  });

  it('are free again when the first answer was given up', async () => {
    const left = new AbortController();
    const stream = await fetch(`${gateway.baseUrl}/v1/chat/completions`, {
      method: 'POST',
      signal: left.signal,
      headers: {
        authorization: `Bearer ${gateway.userKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'key-4',
      },
      body: JSON.stringify({ model: gateway.model, messages: [question], max_tokens: 400, stream: true }),
    });
    await stream.body!.getReader().read();
    left.abort();
    await expect
      .poll(async () => (await ask('key-4', { max_tokens: 400, stream: true })).status, { timeout: 10_000 })
      .toBe(200);
  });

  it('replay a stream as a stream', async () => {
    const text = async (response: Response) =>
      (await response.text())
        .split('\n\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)).choices[0].delta.content ?? '')
        .join('');
    const first = await text(await ask('key-5', { stream: true }));
    expect(await text(await ask('key-5', { stream: true }))).toBe(first);
  });
});
