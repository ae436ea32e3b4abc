import { CompletionRepository } from '@attune/persistence';
import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

describe.skipIf(!testModel)(`Conversations (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  let conversations: OpenAI['conversations'];
  beforeAll(async () => {
    gateway = await startTestGateway();
    conversations = gateway.openai.conversations;
  });
  afterAll(() => gateway?.close());

  const said = (content: string) => ({ type: 'message' as const, role: 'user' as const, content });
  const ask = (conversation: string, fields: object = {}) =>
    gateway.openai.responses.create({
      model: gateway.model,
      conversation,
      input: 'Once upon a time there was a little dog.',
      temperature: 0,
      max_output_tokens: 8,
      ...fields,
    });
  async function itemsOf(id: string, query: OpenAI.Conversations.ItemListParams = { order: 'asc' }) {
    const items = [];
    for await (const item of conversations.items.list(id, query)) items.push(item);
    return items;
  }

  it('are made, labelled, read and hidden', async () => {
    const made = await conversations.create({ metadata: { topic: 'dogs' }, items: [said('Hello.')] });
    expect(made).toMatchObject({ object: 'conversation', metadata: { topic: 'dogs' } });
    expect(await conversations.retrieve(made.id)).toEqual(made);
    const updated = await conversations.update(made.id, { metadata: { topic: 'cats' } });
    expect(updated.metadata).toEqual({ topic: 'cats' });
    expect(await conversations.delete(made.id)).toEqual({ id: made.id, object: 'conversation.deleted', deleted: true });
    await expect(conversations.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
    await expect(ask(made.id)).rejects.toMatchObject({ status: 404 });
    expect(await conversations.create()).toMatchObject({ metadata: {} });
  });

  it('hold items, in order, a page at a time', async () => {
    const { id } = await conversations.create({ items: [said('0')] });
    const added = await conversations.items.create(id, { items: [said('1'), said('2'), said('3'), said('4')] });
    expect(added).toMatchObject({ object: 'list', has_more: false, data: { length: 4 } });
    const texts = (items: unknown[]) =>
      (items as { content: { text: string }[] }[]).map(({ content }) => content[0]!.text);
    expect(texts(await itemsOf(id, { order: 'asc', limit: 2 }))).toEqual(['0', '1', '2', '3', '4']);
    expect(texts(await itemsOf(id, { limit: 3 }))).toEqual(['4', '3', '2', '1', '0']);
    const second = added.data[1]!;
    expect(await conversations.items.retrieve(second.id!, { conversation_id: id })).toEqual(second);
    expect(await conversations.items.delete(second.id!, { conversation_id: id })).toMatchObject({ id });
    await expect(conversations.items.retrieve(second.id!, { conversation_id: id })).rejects.toMatchObject({
      status: 404,
    });
    expect(texts(await itemsOf(id))).toEqual(['0', '1', '3', '4']);
    await expect(
      conversations.items.create(id, { items: [{ ...said('x'), id: added.data[0]!.id } as never] }),
    ).rejects.toMatchObject({ status: 409 });
  });

  it('are gone on with by responses, which add what was said', async () => {
    const { id } = await conversations.create({ items: [said('My name is Rex.')] });
    const first = await ask(id);
    expect(first.conversation).toEqual({ id });
    const second = await ask(id, { input: 'And then?', stream: false });
    const row = await new CompletionRepository(gateway.dataSource).get(second.id);
    expect(row.conversationId).toBe(id);
    expect(row.messages.map(({ content }) => content)).toEqual([
      'My name is Rex.',
      'Once upon a time there was a little dog.',
      first.output_text,
      'And then?',
    ]);
    const items = await itemsOf(id);
    expect(items).toHaveLength(5);
    expect(items[2]).toEqual(first.output[0]);
    const shown = await gateway.api(gateway.userKey, 'GET', `/api/conversations/${id}`);
    expect(shown.body.turns).toHaveLength(2);
  });

  it('are left by a response that goes on from one of theirs', async () => {
    const { id } = await conversations.create({ items: [said('My name is Rex.')] });
    const first = await ask(id);
    await conversations.items.create(id, { items: [said('Said later.')] });
    const second = await gateway.openai.responses.create({
      model: gateway.model,
      previous_response_id: first.id,
      input: 'And?',
      max_output_tokens: 4,
    });
    const { messages } = await new CompletionRepository(gateway.dataSource).get(second.id);
    expect(messages.map(({ content }) => content)).toEqual([
      'My name is Rex.',
      'Once upon a time there was a little dog.',
      first.output_text,
      'And?',
    ]);
    await expect(ask(id, { previous_response_id: first.id })).rejects.toMatchObject({ status: 400 });
  });

  it('are nobody else’s', async () => {
    const { id } = await conversations.create();
    const { conversations: theirs, responses } = gateway.client(await gateway.createKey('Otto', 'user'));
    for (const call of [
      () => theirs.retrieve(id),
      () => theirs.update(id, { metadata: {} }),
      () => theirs.delete(id),
      () => theirs.items.list(id),
      () => theirs.items.create(id, { items: [said('x')] }),
      () => responses.create({ model: gateway.model, conversation: id, input: 'x' }),
    ]) {
      await expect(call()).rejects.toMatchObject({ status: 404 });
    }
  });

  it('refuse what they cannot hold by name', async () => {
    await expect(conversations.create({ colour: 'red' } as never)).rejects.toMatchObject({ param: 'colour' });
    const image = { type: 'message', role: 'user', content: [{ type: 'input_image', image_url: 'x' }] };
    await expect(conversations.create({ items: [image] } as never)).rejects.toMatchObject({
      param: 'items.0.content.0.type',
    });
    const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v']));
    await expect(conversations.create({ metadata })).rejects.toMatchObject({ param: 'metadata' });
  });
});
