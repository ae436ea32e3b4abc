import { CompletionRepository } from '@attune/persistence';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { openRealtime, type EventLog } from '../support/realtime.js';

const text = 'Once upon a time there was a little dog.';

describe.skipIf(!testModel)(`Realtime (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());

  const say = (log: EventLog, words: string) =>
    log.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] },
    });
  /** Temperature is Attune's addition; the class sends what it is given. */
  const session = (fields: object) => ({ type: 'session.update', session: { type: 'realtime', ...fields } }) as never;

  it('answers nothing when nothing was said, and nobody whose key was revoked meanwhile', async () => {
    const secret = await gateway.createKey('Temp', 'user');
    const { log, close } = await openRealtime(gateway, secret);
    log.send({ type: 'response.create' });
    expect((await log.next('error')).error.message).toContain('nothing to answer');
    const keys = (await gateway.api(gateway.adminKey, 'GET', '/api/keys')).body.data as Record<string, string>[];
    const key = keys.find(({ user_name }) => user_name === 'Temp')!;
    await gateway.api(gateway.adminKey, 'DELETE', `/api/keys/${key.id}`);
    say(log, text);
    await log.next('conversation.item.done');
    log.send({ type: 'response.create' });
    expect((await log.next('error')).error).toMatchObject({ code: 'invalid_api_key' });
    expect(log.types()).not.toContain('response.created');
    close();
  });

  it('chats with the official class, event by event', async () => {
    const { log, close } = await openRealtime(gateway);
    log.send(
      session({ output_modalities: ['text'], max_output_tokens: 10, temperature: 0, instructions: 'Be brief.' }),
    );
    const updated = await log.next('session.updated');
    expect(updated.session).toMatchObject({ type: 'realtime', instructions: 'Be brief.', max_output_tokens: 10 });
    say(log, text);
    const added = await log.next('conversation.item.done');
    log.send({ type: 'response.create' });
    const done = await log.next('response.done');

    const types = log.types().slice(log.types().indexOf('response.created'));
    expect(types.filter((type) => type !== 'response.output_text.delta')).toEqual([
      'response.created',
      'rate_limits.updated',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.done',
    ]);
    const deltas = log.events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));
    const whole = log.events.find((event) => event.type === 'response.output_text.done')!;
    expect(deltas.join('')).toBe(whole.text);
    expect(done.response).toMatchObject({ object: 'realtime.response', usage: { output_tokens: expect.any(Number) } });
    expect(['completed', 'incomplete']).toContain(done.response.status);
    expect(added.item.id).toMatch(/^item_/);

    const row = await new CompletionRepository(gateway.dataSource).get(done.response.id!);
    expect(row).toMatchObject({ source: 'realtime', status: 'done', answer: whole.text });
    expect(row.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: text },
    ]);
    close();
  });

  it('remembers the conversation within the session', async () => {
    const { log, close } = await openRealtime(gateway);
    log.send(session({ max_output_tokens: 4, temperature: 0 }));
    for (const words of [text, 'And then?']) {
      say(log, words);
      log.send({ type: 'response.create' });
      await log.next('response.done');
    }
    const done = log.events.filter((event) => event.type === 'response.done');
    const row = await new CompletionRepository(gateway.dataSource).get(done[1].response.id!);
    expect(row.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'user']);
    expect(done[0].response.conversation_id).toBe(done[1].response.conversation_id);
    close();
  });

  it('retrieves and deletes items', async () => {
    const { log, close } = await openRealtime(gateway);
    say(log, text);
    const { item } = await log.next('conversation.item.added');
    log.send({ type: 'conversation.item.retrieve', item_id: item.id! });
    expect((await log.next('conversation.item.retrieved')).item).toMatchObject({ id: item.id, role: 'user' });
    log.send({ type: 'conversation.item.delete', item_id: item.id! });
    expect((await log.next('conversation.item.deleted')).item_id).toBe(item.id);
    log.send({ type: 'conversation.item.retrieve', item_id: item.id!, event_id: 'mine' });
    expect((await log.next('error')).error).toMatchObject({ code: 'item_not_found', event_id: 'mine' });
    close();
  });

  it('calls functions and takes their results', async () => {
    const { log, close } = await openRealtime(gateway);
    const parameters = {
      type: 'object',
      properties: { city: { enum: ['Rome', 'Oslo'] } },
      required: ['city'],
      additionalProperties: false,
    };
    const tools = [{ type: 'function' as const, name: 'weather', description: 'The weather.', parameters }];
    log.send({ type: 'session.update', session: { type: 'realtime', tools } });
    expect((await log.next('session.updated')).session).toMatchObject({ tools, tool_choice: 'auto' });
    say(log, 'What is the weather in Rome?');
    const tool_choice = { type: 'function' as const, name: 'weather' };
    log.send({
      type: 'response.create',
      response: { tool_choice, max_output_tokens: 100, parallel_tool_calls: false },
    });
    const deltas: string[] = [];
    const call = await log.next('response.function_call_arguments.done');
    for (const event of log.events) {
      if (event.type === 'response.function_call_arguments.delta') deltas.push(event.delta);
    }
    expect(deltas.join('')).toBe(call.arguments);
    expect(call).toMatchObject({ name: 'weather', call_id: expect.stringMatching(/^call_/) });
    const done = await log.next('response.done');
    expect(done.response.output).toMatchObject([
      { type: 'function_call', call_id: call.call_id, object: 'realtime.item' },
    ]);

    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' };
    log.send({ type: 'conversation.item.create', item: output });
    await log.next('conversation.item.done');
    log.send({ type: 'response.create', response: { tool_choice: 'none', max_output_tokens: 4 } });
    const next = await log.next('response.done');
    const row = await new CompletionRepository(gateway.dataSource).get(next.response.id!);
    expect(row.messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: call.call_id, function: { name: 'weather' } }] },
      { role: 'tool', content: 'sunny', name: 'weather' },
    ]);
    close();
  });

  it('tells what of the minute is left', async () => {
    const { log, close } = await openRealtime(gateway);
    say(log, text);
    log.send({ type: 'response.create', response: { max_output_tokens: 2 } });
    const [limit] = (await log.next('rate_limits.updated')).rate_limits;
    expect(limit).toMatchObject({ name: 'requests', limit: 100_000 });
    expect(limit!.remaining).toBeGreaterThan(99_000);
    expect(limit!.reset_seconds).toBeLessThan(60);
    await log.next('response.done');
    close();
  });

  it('answers beside the conversation, from items that are given or named', async () => {
    const { log, close } = await openRealtime(gateway);
    say(log, text);
    const { item } = await log.next('conversation.item.done');
    const input = [
      { type: 'item_reference', id: item.id! },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And then?' }] },
    ];
    log.send({ type: 'response.create', response: { conversation: 'none', input, max_output_tokens: 2 } } as never);
    const done = await log.next('response.done');
    const row = await new CompletionRepository(gateway.dataSource).get(done.response.id!);
    expect(row.messages.map(({ content }) => content)).toEqual([text, 'And then?']);
    expect(log.types().filter((type) => type === 'conversation.item.added')).toHaveLength(1);
    log.send({ type: 'conversation.item.retrieve', item_id: done.response.output![0]!.id! });
    expect((await log.next('error')).error.code).toBe('item_not_found');
    close();
  });

  it('takes the text of an answer away, and refuses to count it in milliseconds', async () => {
    const { log, close } = await openRealtime(gateway);
    say(log, text);
    log.send({ type: 'response.create', response: { max_output_tokens: 3 } });
    const [answer] = (await log.next('response.done')).response.output!;
    const place = { item_id: answer!.id!, content_index: 0 };
    log.send({ type: 'conversation.item.truncate', ...place, audio_end_ms: 700 });
    expect((await log.next('error')).error.param).toBe('audio_end_ms');
    log.send({ type: 'conversation.item.truncate', ...place, audio_end_ms: 0 });
    expect(await log.next('conversation.item.truncated')).toMatchObject(place);
    log.send({ type: 'conversation.item.retrieve', item_id: place.item_id });
    expect((await log.next('conversation.item.retrieved')).item).toMatchObject({ content: [{ text: '' }] });
    close();
  });

  it('lets go of the oldest turns of a long session, unless it is told not to', async () => {
    const { log, close } = await openRealtime(gateway);
    for (let turn = 0; turn < 5; turn++) say(log, `${turn} ${'dog '.repeat(300)}`);
    log.send({ type: 'response.create', response: { max_output_tokens: 2 } });
    const done = await log.next('response.done');
    const row = await new CompletionRepository(gateway.dataSource).get(done.response.id!);
    expect(row.messages.length).toBeLessThan(5);
    expect(row.messages.at(-1)!.content).toMatch(/^4 dog/);
    log.send(session({ truncation: 'disabled' }));
    await log.next('session.updated');
    log.send({ type: 'response.create', event_id: 'long', response: { max_output_tokens: 2 } });
    expect((await log.next('error')).error).toMatchObject({ code: 'context_length_exceeded', event_id: 'long' });
    close();
  });

  it('names the field it cannot serve, and the event it was in', async () => {
    const { log, close } = await openRealtime(gateway);
    log.send({ ...(session({ colour: 'red' }) as object), event_id: 'e1' } as never);
    expect((await log.next('error')).error).toMatchObject({ param: 'session.colour', event_id: 'e1' });
    log.send(session({ audio: { input: {} } }));
    expect((await log.next('error')).error.param).toBe('session.audio');
    log.send(session({ model: 'gpt-realtime' }));
    expect((await log.next('error')).error.code).toBe('model_not_found');
    const sound = { type: 'message', role: 'user', content: [{ type: 'input_audio', audio: '' }] };
    log.send({ type: 'conversation.item.create', item: sound } as never);
    expect((await log.next('error')).error.param).toBe('item.content.0.type');
    close();
  });

  it('cancels a response, and takes the next one', async () => {
    const { log, close } = await openRealtime(gateway);
    say(log, text);
    log.send({ type: 'response.create' });
    await log.next('response.output_text.delta');
    log.send({ type: 'response.create' });
    expect((await log.next('error')).error.code).toBe('conversation_already_has_active_response');
    log.send({ type: 'response.cancel' });
    const done = await log.next('response.done');
    expect(done.response).toMatchObject({ status: 'cancelled', status_details: { reason: 'client_cancelled' } });
    expect((await new CompletionRepository(gateway.dataSource).get(done.response.id!)).status).toBe('cancelled');
    log.send({ type: 'response.create', response: { max_output_tokens: 2 } });
    expect((await log.next('response.done')).response.status).not.toBe('cancelled');
    close();
  });

  it('answers what is wrong with an event and stays open', async () => {
    const { log, realtime, close } = await openRealtime(gateway);
    realtime.socket.send('no json');
    expect((await log.next('error')).error.code).toBe('invalid_json');
    log.send({ type: 'input_audio_buffer.commit' });
    expect((await log.next('error')).error).toMatchObject({ code: 'unknown_event', type: 'invalid_request_error' });
    log.send(session({ output_modalities: ['audio'] }));
    expect((await log.next('error')).error.param).toBe('session.output_modalities');
    log.send({ type: 'response.cancel' });
    expect((await log.next('error')).error.code).toBe('response_cancel_not_active');
    say(log, text);
    log.send({ type: 'response.create', response: { max_output_tokens: 2 } });
    await log.next('response.done');
    close();
  });

  it('lets a browser in by subprotocol and echoes `realtime` only', async () => {
    const url = `ws://127.0.0.1:${gateway.port}/v1/realtime?model=${gateway.model}`;
    const socket = new WebSocket(url, ['realtime', `openai-insecure-api-key.${gateway.userKey}`]);
    await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
    expect(socket.protocol).toBe('realtime');
    socket.close();
  });

  it('refuses a handshake without a valid key, and a model it does not serve', async () => {
    const url = `ws://127.0.0.1:${gateway.port}/v1/realtime?model=`;
    const status = await new Promise((resolve) =>
      new WebSocket(`${url}${gateway.model}`, ['realtime', 'openai-insecure-api-key.nonsense'])
        .once('unexpected-response', (_, response) => resolve(response.statusCode))
        .once('error', () => undefined),
    );
    expect(status).toBe(401);
    const wrong = new WebSocket(`${url}gpt-9`, { headers: { authorization: `Bearer ${gateway.userKey}` } });
    const [message, closed] = await Promise.all([
      new Promise<string>((resolve) => wrong.once('message', (data) => resolve(String(data)))),
      new Promise<number>((resolve) => wrong.once('close', resolve)),
    ]);
    expect(JSON.parse(message)).toMatchObject({ type: 'error', error: { code: 'model_not_found' } });
    expect(closed).toBe(1008);
  });

  it('ends generation when the socket goes', async () => {
    const { log, realtime } = await openRealtime(gateway);
    say(log, text);
    log.send({ type: 'response.create' });
    const created = await log.next('response.created');
    await log.next('response.output_text.delta');
    realtime.socket.terminate();
    const completions = new CompletionRepository(gateway.dataSource);
    await expect
      .poll(async () => (await completions.get(created.response.id!)).status, { timeout: 5_000 })
      .not.toBe('open');
    await expect.poll(async () => (await gateway.loaded.engine.stats()).running, { timeout: 5_000 }).toBe(0);
  });
});
