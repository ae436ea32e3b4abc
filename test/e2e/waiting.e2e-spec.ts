import { afterEach, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const messages = [{ role: 'user' as const, content: 'Hi' }];

/** One slot, so that whoever comes second waits. */
describe.skipIf(!testModel)(`waiting for the model (${testModel ? 'for real' : noModel})`, () => {
  let gateway: TestGateway;
  const start = async (env: Record<string, string>) => {
    gateway = await startTestGateway({ endless: true, env: { ENGINE_SLOTS: '1', ...env } });
  };
  afterEach(() => gateway?.close());

  const ask = (openai: TestGateway['openai'], max_tokens: number, more = {}) =>
    openai.chat.completions.create({ model: gateway.model, messages, max_tokens, ...more });
  const begun = () => expect.poll(async () => (await gateway.loaded.engine.stats()).running).toBe(1);
  const refusal = (asked: Promise<unknown>) =>
    asked.then(
      () => 'answered',
      ({ status, code, headers }: { status: number; code: string; headers: Headers }) => [
        status,
        code,
        Number(headers.get('retry-after')),
      ],
    );

  it('ends after the time it may take, whole answers and streams alike; who is patient is answered', async () => {
    await start({ ENGINE_START_WITHIN_SECONDS: '0.05' });
    const long = ask(gateway.openai, 400);
    await begun();
    const other = gateway.client(await gateway.createKey('Otto', 'user'));
    const patient = ask(other, 2, { service_tier: 'flex' });
    expect(await refusal(ask(other, 2))).toEqual([503, 'server_is_overloaded', 2]);
    const stream = await refusal(
      ask(other, 2, { stream: true }).then(async (events) => {
        // oxlint-disable-next-line typescript/no-explicit-any
        for await (const event of events as any) void event;
      }),
    );
    expect(stream).toEqual([503, 'server_is_overloaded', 2]);
    expect((await long).usage!.completion_tokens).toBe(400);
    expect((await patient).usage!.completion_tokens).toBe(2);
  });

  it('is for so many only', async () => {
    await start({ ENGINE_QUEUE_LIMIT: '1' });
    const long = ask(gateway.openai, 200);
    await begun();
    const waiting = ask(gateway.openai, 1);
    await expect.poll(async () => (await gateway.loaded.engine.stats()).waiting).toBe(1);
    expect(await refusal(ask(gateway.openai, 1))).toEqual([429, 'engine_overloaded', 2]);
    await Promise.all([long, waiting]);
  });

  it('is shared fairly between keys, also of one user', async () => {
    await start({});
    const { body } = await gateway.api(gateway.userKey, 'GET', '/api/session');
    const second = await gateway.api(gateway.adminKey, 'POST', '/api/keys', { user_id: body.user.id, name: 'second' });
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const flood = Array.from({ length: 12 }, () => ask(gateway.openai, 40).then(note('flood')));
    await begun();
    const quiet = ask(gateway.client(second.body.secret as string), 10).then(note('quiet'));
    await Promise.all([...flood, quiet]);
    expect(order.indexOf('quiet')).toBeLessThan(6);
  });
});
