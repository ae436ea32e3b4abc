import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { opcodes, RawWebSocket } from '../support/raw-socket.js';

const MEGABYTE = 1_000_000;
const NUM_EVENTS = 20_000;
const EVENT_BYTES = 2_000;

describe.skipIf(!testModel)(`readers that stop (${testModel ? 'at the real gateway' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());

  const memory = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };

  /** A stored response whose stream is as long as `NUM_EVENTS` says. */
  async function longStream(): Promise<string> {
    const { id } = await gateway.openai.responses.create({ model: gateway.model, input: 'Hi', max_output_tokens: 1 });
    await gateway.dataSource.query(
      `insert into response_event select $1, n, json_build_object('type', 'response.output_text.delta',
         'sequence_number', n, 'delta', repeat('x', $2::int)) from generate_series(0, $3::int - 2) n`,
      [id, EVENT_BYTES, NUM_EVENTS],
    );
    await gateway.dataSource.query(
      `insert into response_event select id, $2, json_build_object('type', 'response.completed', 'sequence_number',
         $2::int, 'response', body) from response where id = $1`,
      [id, NUM_EVENTS - 1],
    );
    return id;
  }

  it('of an event stream hold it up, and get all of it when they go on', async () => {
    const id = await longStream();
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      `GET /v1/responses/${id}?stream=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.userKey}\r\nConnection: close\r\n\r\n`,
    );
    await sleep(200);
    socket.pause();
    const before = memory();
    let most = 0;
    for (let look = 0; look < 20; look++) {
      await sleep(100);
      most = Math.max(most, memory() - before);
    }
    // The stream is 40 MB; a page of it and what the network takes is all there is in memory.
    expect(most).toBeLessThan(20 * MEGABYTE);
    const text = await readToEnd(socket);
    expect(text.match(/event: response\.output_text\.delta/g)).toHaveLength(NUM_EVENTS - 1);
    expect(text).toContain('event: response.completed');
  });

  it('of a socket are not read from either', async () => {
    const socket = await RawWebSocket.open(gateway.port, '/v1/responses', gateway.userKey);
    socket.socket.pause();
    const frame = JSON.stringify({ type: 'x'.repeat(100) });
    const before = memory();
    let sent = 0;
    // Every frame is answered with an error of some 300 bytes, until the gateway takes no more.
    for (let stalledMs = 0; stalledMs < 1_000 && sent < 400_000;) {
      if (socket.socket.writableLength > MEGABYTE) {
        await sleep(100);
        stalledMs += 100;
        continue;
      }
      stalledMs = 0;
      for (let count = 0; count < 500; count++, sent++) socket.send(opcodes.text, frame);
      await sleep(0);
    }
    expect(sent, 'the gateway took every frame').toBeLessThan(400_000);
    expect(memory() - before).toBeLessThan(60 * MEGABYTE);
    socket.socket.resume();
    expect(await socket.nextEvent()).toMatchObject({ type: 'error', error: { code: 'unknown_event' } });
    socket.destroy();
    // And others are served meanwhile and afterwards.
    const answer = await gateway.openai.responses.create({ model: gateway.model, input: 'Hi', max_output_tokens: 1 });
    expect(answer.object).toBe('response');
  });
});

function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  socket.resume();
  return new Promise((resolve, reject) => {
    socket.once('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.once('error', reject);
  });
}
