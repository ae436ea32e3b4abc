import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const messages = [{ role: 'user' as const, content: 'Once upon a time there was a little dog.' }];

describe.skipIf(!testModel)(`feedback (${testModel ? 'on real answers' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());

  const answer = (metadata: Record<string, string> = {}) =>
    gateway.openai.chat.completions.create({ model: gateway.model, messages, max_tokens: 4, metadata });
  const give = (body: object, key = gateway.userKey) => gateway.api(key, 'POST', '/v1/feedback', body);

  it('ties thumbs, comments and corrections to the completion', async () => {
    const { id } = await answer();
    const thumb = await give({ type: 'thumb', completion_id: id, value: 'down' });
    expect(thumb.status).toBe(201);
    expect(thumb.body).toMatchObject({ object: 'feedback', completion_id: id, value: 'down', status: 'pending' });
    await give({ type: 'comment', completion_id: id, comment: 'Too short.' });
    await give({ type: 'correction', completion_id: id, text: 'A better answer.' });

    const list = await gateway.api(gateway.userKey, 'GET', `/v1/feedback?completion_id=${id}`);
    expect(list.body.data.map((one: { type: string }) => one.type)).toEqual(['correction', 'comment', 'thumb']);
    const { body } = await gateway.api(gateway.userKey, 'GET', '/api/conversations');
    const conversation = await gateway.api(gateway.userKey, 'GET', `/api/conversations/${body.data[0].id}`);
    expect(conversation.body.turns[0].feedback).toHaveLength(3);
  });

  it('takes a choice between two answers to the same messages only', async () => {
    const metadata = { conversation_id: 'conv_choice' };
    const [a, b] = await Promise.all([answer(metadata), answer(metadata)]);
    const choice = await give({ type: 'choice', completion_id: a.id, rejected_completion_id: b.id });
    expect(choice.body).toMatchObject({ type: 'choice', completion_id: a.id, rejected_completion_id: b.id });
    const other = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [{ role: 'user', content: 'Something else.' }],
      max_tokens: 2,
      metadata,
    });
    const wrong = await give({ type: 'choice', completion_id: a.id, rejected_completion_id: other.id });
    expect(wrong).toMatchObject({ status: 400, body: { error: { param: 'rejected_completion_id' } } });
  });

  it('refuses feedback on what does not exist or belongs to another', async () => {
    const { id } = await answer();
    const nothing = await give({ type: 'thumb', completion_id: 'chatcmpl-nothing', value: 'up' });
    expect(nothing).toMatchObject({ status: 404, body: { error: { param: 'completion_id' } } });
    const stranger = await gateway.createKey('Otto', 'user');
    expect((await give({ type: 'thumb', completion_id: id, value: 'up' }, stranger)).status).toBe(404);
    expect((await give({ type: 'thumb', completion_id: id, value: 'sideways' })).body.error.param).toBe('value');
    const seen = await gateway.api(stranger, 'GET', `/v1/feedback?completion_id=${id}`);
    expect(seen.body.data).toEqual([]);
  });

  it('takes feedback on an answer that was cut short', async () => {
    const stream = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages,
      max_tokens: 300,
      stream: true,
    });
    let id = '';
    for await (const chunk of stream) {
      id = chunk.id;
      if (chunk.choices[0].delta.content) break;
    }
    await expect
      .poll(async () => (await give({ type: 'thumb', completion_id: id, value: 'down' })).status, { timeout: 5_000 })
      .toBe(201);
  });
});
