import { IdempotencyRepository } from '@attune/persistence';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OwedWrites } from '../../apps/gateway/src/core/owed-writes.js';
import { layCable, type Cable } from '../support/cable.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

describe.skipIf(!testModel)(`a database that is away (${testModel ? 'for real' : noModel})`, () => {
  let cable: Cable;
  let gateway: TestGateway;
  beforeAll(async () => {
    let database: URL;
    cable = await layCable(() => ({ host: database.hostname, port: Number(database.port) }));
    const through = (url: string) => {
      database = new URL(url);
      return Object.assign(new URL(url), { port: String(cable.port) }).href;
    };
    gateway = await startTestGateway({ endless: true, through });
  });
  afterAll(async () => {
    await gateway?.close();
    await cable?.close();
  });

  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const ask = (max_tokens = 4) =>
    gateway.openai.chat.completions.create({ model: gateway.model, messages, max_tokens }).then(
      () => 'answered',
      (error: { status: number; code: string; headers: Headers }) => [
        error.status,
        error.code,
        Number(error.headers.get('retry-after')) > 0,
      ],
    );
  const away = [503, 'unavailable', true];

  it('is told to whoever asks, with when to ask again, and answers come once it is back', async () => {
    expect(await ask()).toBe('answered');
    await cable.cut();
    // The first may meet a connection that breaks, the others one that is refused.
    for (let time = 0; time < 3; time++) expect(await ask()).toEqual(away);
    const list = await gateway.api(gateway.adminKey, 'GET', '/api/keys');
    expect([list.status, list.body.error.code]).toEqual([503, 'unavailable']);
    expect((await gateway.api('', 'GET', '/health/ready')).status).toBe(503);
    expect((await gateway.api('', 'GET', '/health/live')).status).toBe(200);
    await cable.mend();
    expect(await ask()).toBe('answered');
    expect((await gateway.api('', 'GET', '/health/ready')).status).toBe(200);
  });

  /** An answer during which the database goes away. @returns the id of its row */
  const askAcrossTheCut = async () => {
    const stream = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages,
      max_tokens: 60,
      stream: true,
    });
    let id = '';
    let end: string | null = null;
    for await (const chunk of stream) {
      if (id === '') await cable.cut();
      id = chunk.id;
      end = chunk.choices[0]?.finish_reason ?? end;
    }
    expect(end).toBe('length');
    return id;
  };
  const ended = (id: string) =>
    expect
      .poll(() => gateway.dataSource.query('select stop_reason from completion where id = $1', [id]), {
        timeout: 10_000,
      })
      .toEqual([{ stop_reason: 'length' }]);

  it('does not take down an answer that is being given, whose row is written when it is back', async () => {
    const id = await askAcrossTheCut();
    expect(await ask()).toEqual(away);
    await cable.mend();
    expect(await ask()).toBe('answered');
    await ended(id);
  });

  it('may stay away for many times as long as the tries were meant for', async () => {
    Object.assign(gateway.gateway.app.get(OwedWrites), { againAfterMs: [10, 20] });
    const id = await askAcrossTheCut();
    await sleep(1_500);
    await cable.mend();
    await ended(id);
  });

  it('keeps no idempotency key for a request whose claim was heard and not answered', async () => {
    const keys = gateway.gateway.app.get(IdempotencyRepository);
    const claim = keys.claim.bind(keys);
    const broken = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
    vi.spyOn(keys, 'claim').mockImplementationOnce(async (...asked) => {
      await claim(...asked);
      throw broken;
    });
    const headers = { 'Idempotency-Key': 'heard' };
    const keyed = () =>
      gateway.openai.chat.completions.create({ model: gateway.model, messages, max_tokens: 2 }, { headers }).then(
        () => 200,
        ({ status }: { status: number }) => status,
      );
    expect(await keyed()).toBe(503);
    await expect.poll(keyed, { timeout: 5_000 }).toBe(200);
  });

  it('is owed nothing by a gateway that has ended, if it is there by then', async () => {
    Object.assign(gateway.gateway.app.get(OwedWrites), { againAfterMs: [3_600_000] });
    const id = await askAcrossTheCut();
    await cable.mend();
    await gateway.gateway.close();
    const rows = await gateway.dataSource.query('select stop_reason from completion where id = $1', [id]);
    expect(rows).toEqual([{ stop_reason: 'length' }]);
    expect(await gateway.dataSource.query('select id from gateway_instance')).toEqual([]);
  });
});
