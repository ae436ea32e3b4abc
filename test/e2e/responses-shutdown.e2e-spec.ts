import { ResponsesWS } from 'openai/resources/responses/ws';
import type { ResponsesServerEvent } from 'openai/resources/responses/responses';
import type OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { openRealtime } from '../support/realtime.js';

const LONG = 250;
const input = 'Once upon a time there was a little dog.';

describe.skipIf(!testModel)(`a gateway that stops (${testModel ? 'with answers under way' : noModel})`, () => {
  let gateway: TestGateway;
  afterEach(() => gateway?.close());

  /** One answer under way on each transport, seen to be so, and what becomes of it. */
  async function underWay(most: number) {
    const { openai, model } = gateway;
    const request = { model, input, max_output_tokens: most };
    const stream = await openai.responses.create({ ...request, stream: true });
    const sse = stream[Symbol.asyncIterator]();
    await sse.next();

    const socket = new ResponsesWS(openai);
    socket.on('error', () => undefined);
    const begun = new Promise<void>((resolve) => socket.once('event', () => resolve()));
    const overSocket = new Promise<ResponsesServerEvent>((resolve) =>
      socket.on('event', (event) => {
        if (/^response\.(completed|incomplete|failed)$/.test(event.type)) resolve(event);
      }),
    );
    socket.send({ type: 'response.create', ...request });

    const { log } = await openRealtime(gateway);
    const content = [{ type: 'input_text' as const, text: input }];
    log.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    log.send({ type: 'response.create', response: { max_output_tokens: most } });
    await Promise.all([begun, log.next('response.output_text.delta')]);
    const rest = async () => {
      let last: OpenAI.Responses.ResponseStreamEvent | undefined;
      for await (const event of { [Symbol.asyncIterator]: () => sse }) last = event;
      return last!;
    };
    return { rest: rest(), overSocket, overRealtime: log.next('response.done', 30_000), socket };
  }

  it('finishes them, and refuses what is new', async () => {
    gateway = await startTestGateway({ endless: true });
    const { rest, overSocket, overRealtime, socket } = await underWay(LONG);
    const closed = gateway.gateway.close(30_000);
    const refused = await gateway.api(gateway.userKey, 'POST', '/v1/responses', { input });
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'server_stopping', type: 'server_error' } } });
    expect((await gateway.api('', 'GET', '/health/live')).status).toBe(200);
    const handshake = await new Promise((resolve) =>
      new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime`, {
        headers: { authorization: `Bearer ${gateway.userKey}` },
      })
        .once('unexpected-response', (_, response) => resolve(response.statusCode))
        .once('error', () => undefined),
    );
    expect(handshake).toBe(503);
    const error = new Promise((resolve) => socket.on('event', (event) => event.type === 'error' && resolve(event)));
    socket.send({ type: 'response.create', model: gateway.model, input });
    expect(await error).toMatchObject({ status: 503, error: { code: 'server_stopping' } });
    const usage = { output_tokens: LONG };
    expect(await rest).toMatchObject({ type: 'response.incomplete', response: { usage } });
    expect(await overSocket).toMatchObject({ type: 'response.incomplete', response: { usage } });
    expect((await overRealtime).response).toMatchObject({ status: 'incomplete', usage });
    await closed;
  });

  it('ends them at its deadline, and says so in the stream and in the row', async () => {
    gateway = await startTestGateway({ endless: true });
    const { rest, overSocket, overRealtime } = await underWay(900);
    const closed = gateway.gateway.close(100);
    const failed = { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error' } } };
    const last = await rest;
    expect(last).toMatchObject(failed);
    expect(await overSocket).toMatchObject(failed);
    expect((await overRealtime).response.status).toBe('failed');
    await closed;
    const { id } = (last as OpenAI.Responses.ResponseFailedEvent).response;
    const rows = await gateway.dataSource.query(
      'select status, ended_at is not null as ended from response where id = $1',
      [id],
    );
    expect(rows).toEqual([{ status: 'failed', ended: true }]);
    const [written] = await gateway.dataSource.query(
      'select event from response_event where response_id = $1 order by sequence desc limit 1',
      [id],
    );
    expect(written.event).toMatchObject({ type: 'response.failed' });
  });
});
