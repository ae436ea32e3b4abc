import { CompletionRepository } from '@attune/persistence';
import { ResponsesWS } from 'openai/resources/responses/ws';
import type { ResponsesClientEvent, ResponsesServerEvent } from 'openai/resources/responses/responses';
import { ResponseStream } from 'openai/lib/responses/ResponseStream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const input = 'Once upon a time there was a little dog.';

describe.skipIf(!testModel)(`Responses over a socket (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  let socket: ResponsesWS;
  beforeAll(async () => {
    gateway = await startTestGateway();
    socket = new ResponsesWS(gateway.openai);
    socket.on('error', () => undefined);
  });
  afterAll(async () => {
    socket?.close();
    await gateway?.close();
  });

  const create = (fields: object = {}) =>
    ({
      type: 'response.create',
      model: gateway.model,
      input,
      temperature: 0,
      max_output_tokens: 8,
      ...fields,
    }) as ResponsesClientEvent;

  /** Sends one request and gathers its events up to the last. */
  async function ask(fields: object = {}): Promise<ResponsesServerEvent[]> {
    const events: ResponsesServerEvent[] = [];
    const ended = new Promise<void>((resolve) => {
      const listen = (event: ResponsesServerEvent) => {
        events.push(event);
        if (!['response.completed', 'response.incomplete', 'response.failed', 'error'].includes(event.type)) return;
        socket.off('event', listen);
        resolve();
      };
      socket.on('event', listen);
    });
    socket.send(create(fields));
    await ended;
    return events;
  }

  const last = (events: ResponsesServerEvent[]) => {
    const event = events.at(-1)!;
    if (!('response' in event)) throw new Error(`ended with ${JSON.stringify(event)}`);
    return event.response as { id: string; status: string; output: { content: { text: string }[] }[]; usage: object };
  };

  it('sends every event of the text subset, numbered', async () => {
    const events = await ask();
    expect(events.map((event) => event.type).filter((type) => type !== 'response.output_text.delta')).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      expect.stringMatching(/^response\.(completed|incomplete)$/),
    ]);
    expect(events.map((event) => (event as { sequence_number: number }).sequence_number)).toEqual(
      events.map((_, i) => i),
    );
    const response = last(events);
    const row = await new CompletionRepository(gateway.dataSource).get(response.id);
    expect(row).toMatchObject({ source: 'responses', status: 'done', answer: response.output[0].content[0].text });
    expect(response.usage).toMatchObject({ input_tokens: row.promptTokens, output_tokens: row.completionTokens });
  });

  it('satisfies the stream helper of the official client', async () => {
    const events = await ask();
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    const stream = ResponseStream.fromReadableStream(new Response(lines).body!);
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(last(events).output[0].content[0].text);
  });

  it('answers the same by HTTP, whole and streamed', async () => {
    const request = { model: gateway.model, input, temperature: 0, max_output_tokens: 8 };
    const whole = await gateway.openai.responses.create(request);
    expect(whole.output_text).toBe(last(await ask()).output[0].content[0].text);
    const deltas: string[] = [];
    const stream = gateway.openai.responses.stream(request);
    stream.on('response.output_text.delta', ({ delta }) => void deltas.push(delta));
    expect((await stream.finalResponse()).output_text).toBe(whole.output_text);
    expect(deltas.join('')).toBe(whole.output_text);
    await expect(gateway.openai.responses.create({ ...request, model: 'gpt-9' })).rejects.toMatchObject({
      status: 404,
    });
  });

  it('keeps a system message that is part of the conversation', async () => {
    const system = { role: 'system', content: 'Be kind.' };
    const first = last(await ask({ instructions: 'Be brief.', input: [system, { role: 'user', content: 'Hello.' }] }));
    const second = last(await ask({ previous_response_id: first.id, input: 'And then?' }));
    const third = last(await ask({ previous_response_id: second.id, instructions: 'Rhyme.', input: 'And now?' }));
    const { messages } = await new CompletionRepository(gateway.dataSource).get(third.id);
    expect(messages.filter(({ role }) => role !== 'assistant')).toEqual([
      { role: 'system', content: 'Rhyme.' },
      system,
      { role: 'user', content: 'Hello.' },
      { role: 'user', content: 'And then?' },
      { role: 'user', content: 'And now?' },
    ]);
  });

  it('continues from a previous response, without its instructions', async () => {
    const first = last(await ask({ instructions: 'Be brief.' }));
    const second = last(await ask({ previous_response_id: first.id, input: 'And then?' }));
    const completions = new CompletionRepository(gateway.dataSource);
    const [a, b] = [await completions.get(first.id), await completions.get(second.id)];
    expect(a.messages[0]).toEqual({ role: 'system', content: 'Be brief.' });
    expect(b.messages).toEqual([
      { role: 'user', content: input },
      { role: 'assistant', content: a.answer },
      { role: 'user', content: 'And then?' },
    ]);
    expect(b.conversationId).toBe(a.conversationId);
  });

  it('answers the requests of one stream in order, and echoes its id', async () => {
    const events: (ResponsesServerEvent & { stream_id?: string })[] = [];
    const listen = (event: ResponsesServerEvent) => void events.push(event);
    socket.on('event', listen);
    for (let index = 0; index < 3; index++) socket.send(create({ stream_id: 'lane', metadata: { index: `${index}` } }));
    const ends = () => events.filter((event) => /completed|incomplete/.test(event.type));
    await expect.poll(() => ends().length, { timeout: 20_000 }).toBe(3);
    socket.off('event', listen);
    expect(ends().map((event) => (event as { response: { metadata: object } }).response.metadata)).toEqual([
      { index: '0' },
      { index: '1' },
      { index: '2' },
    ]);
    expect(events.every((event) => event.stream_id === 'lane')).toBe(true);
  });

  it('says what is wrong as the client expects it', async () => {
    expect((await ask({ input: [] }))[0]).toMatchObject({ status: 400, error: { param: 'input' } });
    const [unknown] = await ask({ previous_response_id: 'resp_nothing' });
    expect(unknown).toMatchObject({
      type: 'error',
      status: 400,
      error: { code: 'previous_response_not_found', param: 'previous_response_id' },
    });
    const [tools] = await ask({ tools: [{ type: 'web_search' }] });
    expect(tools).toMatchObject({ type: 'error', status: 400, error: { param: 'tools.0.type' } });
    const [background] = await ask({ background: true });
    expect(background).toMatchObject({ type: 'error', status: 400, error: { param: 'background' } });
    const [long] = await ask({ input: 'dog '.repeat(5_000) });
    expect(long).toMatchObject({ error: { code: 'context_length_exceeded' } });
    expect(last(await ask()).status).toMatch(/completed|incomplete/);
  });

  it('does not serve the responses of others', async () => {
    const mine = last(await ask());
    const other = new ResponsesWS(gateway.client(await gateway.createKey('Otto', 'user')));
    const answer = new Promise((resolve) => other.on('event', resolve));
    other.on('error', () => undefined);
    other.send(create({ previous_response_id: mine.id }));
    expect(await answer).toMatchObject({ error: { code: 'previous_response_not_found' } });
    other.close();
  });

  it('goes on from what is not stored, on the socket that heard it', async () => {
    const first = last(await ask({ store: false }));
    const second = last(await ask({ store: false, previous_response_id: first.id, input: 'And then?' }));
    const { messages } = await new CompletionRepository(gateway.dataSource).get(second.id);
    expect(messages).toHaveLength(3);
    const other = new ResponsesWS(gateway.openai);
    other.on('error', () => undefined);
    const answer = new Promise((resolve) => other.on('event', resolve));
    other.send(create({ previous_response_id: first.id }));
    expect(await answer).toMatchObject({ error: { code: 'previous_response_not_found' } });
    other.close();
  });

  it('files a request that asks for no answer', async () => {
    const events = await ask({ generate: false, instructions: undefined });
    expect(events.map(({ type }) => type)).toEqual(['response.created', 'response.in_progress', 'response.completed']);
    const filed = last(events);
    expect(filed).toMatchObject({ status: 'completed', output: [], usage: null });
    const next = last(await ask({ previous_response_id: filed.id, input: 'And then?' }));
    const { messages } = await new CompletionRepository(gateway.dataSource).get(next.id);
    expect(messages.map(({ content }) => content)).toEqual([input, 'And then?']);
  });

  it('answers different streams side by side', async () => {
    const order: string[] = [];
    const running = new Set(['long', 'short']);
    const ended = new Promise<void>((resolve) => {
      const listen = (event: ResponsesServerEvent & { stream_id?: string }) => {
        if (event.type === 'response.output_text.delta') order.push(event.stream_id!);
        if (!/completed|incomplete/.test(event.type)) return;
        running.delete(event.stream_id!);
        if (running.size > 0) return;
        socket.off('event', listen);
        resolve();
      };
      socket.on('event', listen);
    });
    socket.send(create({ stream_id: 'long', max_output_tokens: 40, input: 'Tell me a long story about a dog.' }));
    socket.send(create({ stream_id: 'short', max_output_tokens: 4 }));
    await ended;
    if (order.filter((lane) => lane === 'long').length > 10) {
      expect(order.lastIndexOf('short')).toBeLessThan(order.lastIndexOf('long'));
    }
    expect(order).toContain('short');
  });

  it('is connected to again by the official class, and goes on from what was stored', async () => {
    const again = new ResponsesWS(gateway.openai, {
      reconnect: { initialDelay: 10, maxDelay: 50, onReconnecting: () => undefined },
    });
    again.on('error', () => undefined);
    const response = () =>
      new Promise<{ id: string }>((resolve) => {
        const listen = (event: ResponsesServerEvent) => {
          if (!/^response\.(completed|incomplete)$/.test(event.type)) return;
          again.off('event', listen);
          resolve((event as { response: { id: string } }).response);
        };
        again.on('event', listen);
      });
    const first = response();
    again.send(create());
    const { id } = await first;
    const reconnected = new Promise<void>((resolve) => again.once('reconnected', () => resolve()));
    // A cut without a word, as of a cable.
    again.socket.terminate();
    await reconnected;
    const second = response();
    again.send(create({ previous_response_id: id, input: 'And then?' }));
    const { messages } = await new CompletionRepository(gateway.dataSource).get((await second).id);
    expect(messages).toHaveLength(3);
    again.close();
  });
});
