import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../support/collect-garbage.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { opcodes, RawWebSocket } from '../support/raw-socket.js';

const IDLE = 1_000;
const ACTIVE = 200;
const ROUNDS = 8;
const MEGABYTE = 1_000_000;

describe.skipIf(!testModel)(`many sockets (${testModel ? 'at the real gateway' : noModel})`, () => {
  let gateway: TestGateway;
  const sockets: RawWebSocket[] = [];
  beforeAll(async () => {
    const env = { MAX_CONCURRENT_PER_KEY: '400', ENGINE_QUEUE_LIMIT: '400', RATE_LIMIT_PER_MINUTE: '1000000' };
    gateway = await startTestGateway({ env });
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await gateway?.close();
  });

  async function open(count: number): Promise<RawWebSocket[]> {
    const opened: RawWebSocket[] = [];
    for (let done = 0; done < count; done += 50) {
      const batch = Array.from({ length: Math.min(50, count - done) }, () =>
        RawWebSocket.open(gateway.port, '/v1/responses', gateway.userKey),
      );
      opened.push(...(await Promise.all(batch)));
    }
    sockets.push(...opened);
    return opened;
  }

  async function ask(socket: RawWebSocket): Promise<void> {
    const request = { type: 'response.create', input: 'Once upon a time', max_output_tokens: 8 };
    socket.send(opcodes.text, JSON.stringify(request));
    for (;;) {
      const { type, ...fields } = await socket.nextEvent();
      if (type === 'error') throw new Error(JSON.stringify(fields));
      if (/^response\.(completed|incomplete)$/.test(type)) return;
    }
  }

  it(`${IDLE} idle and ${ACTIVE} active ones cost memory once, not with every answer`, async () => {
    const start = used();
    await open(IDLE);
    const idle = used();
    const active = await open(ACTIVE);
    const used0: number[] = [];
    const startedAt = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(active.map(ask));
      await sleep(200);
      used0.push(used());
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const [warm, last] = [used0[2]!, used0.at(-1)!];
    console.log(
      `${((idle - start) / IDLE / 1_000).toFixed(1)} kB an idle socket (client included); ` +
        `${((ROUNDS * ACTIVE) / seconds).toFixed(0)} answers/s; heap MB by round: ${used0.map((bytes) => (bytes / MEGABYTE).toFixed(1)).join(' ')}`,
    );
    expect((idle - start) / IDLE).toBeLessThan(100_000);
    expect(last - warm).toBeLessThan(5 * MEGABYTE);
  }, 600_000);
});

/** Bytes in use after a full collection. */
function used(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
