import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { routes } from '../support/routes.js';

describe.skipIf(!testModel)(`security (${testModel ? 'of the real gateway' : noModel})`, () => {
  const logLines: string[] = [];
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ logLines, env: { BODY_LIMIT_BYTES: '20000' } });
  });
  afterAll(() => gateway?.close());

  const chat = (key: string, fields: object = {}) =>
    gateway.api(key, 'POST', '/v1/chat/completions', {
      model: gateway.model,
      messages: [{ role: 'user', content: 'Once upon a time' }],
      max_tokens: 2,
      ...fields,
    });

  const bodyFor = (method: string) => (method === 'POST' || method === 'PATCH' ? {} : undefined);
  const refused = { status: 401, body: { error: { type: 'authentication_error' } } };

  it.each(routes)('asks for a key: %s %s', async (method, path) => {
    expect(await gateway.api('', method, path, bodyFor(method))).toMatchObject(refused);
  });

  it('takes no key that it does not know, in no part of the API', async () => {
    // One route of each part: an address that tries more than 60 wrong keys in a minute is slowed down.
    const parts = new Map(routes.map((route) => [route[1].split('/').slice(0, 3).join('/'), route]));
    for (const [method, path] of parts.values()) {
      expect(await gateway.api('sk-attune-nonsense', method, path, bodyFor(method))).toMatchObject(refused);
    }
  });

  it.each(routes)('asks for the role: %s %s (%s)', async (method, path, role) => {
    const keys = { user: gateway.userKey, reviewer: gateway.reviewerKey, admin: gateway.adminKey };
    const ranks = ['user', 'reviewer', 'admin'] as const;
    for (const caller of ranks) {
      const { status } = await gateway.api(keys[caller], method, path, bodyFor(method));
      if (ranks.indexOf(caller) < ranks.indexOf(role)) expect(status).toBe(403);
      else expect([401, 403]).not.toContain(status);
    }
  });

  it('sends protective headers and a request id with every answer, errors too', async () => {
    for (const path of ['/health/live', '/api/session', '/nowhere', '/v1/nowhere']) {
      const { headers } = await fetch(gateway.baseUrl + path);
      expect(headers.get('x-request-id')).toMatch(/^req_/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('answers errors in OpenAI’s shape, whatever went wrong', async () => {
    const shape = { error: { message: expect.any(String), type: expect.any(String) } };
    expect(await gateway.api(gateway.userKey, 'POST', '/nowhere', {})).toMatchObject({ status: 404, body: shape });
    expect(await gateway.api(gateway.userKey, 'GET', '/v1/nowhere')).toMatchObject({ status: 404, body: shape });
    const post = (body: string, type = 'application/json') =>
      fetch(`${gateway.baseUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.userKey}`, 'content-type': type },
        body,
      });
    const broken = await post('{"model":');
    expect([broken.status, await broken.json()]).toEqual([400, { error: expect.objectContaining(shape.error) }]);
    expect((await post('<a/>', 'text/xml')).status).toBe(400);
    const big = await chat(gateway.userKey, { messages: [{ role: 'user', content: 'x'.repeat(30_000) }] });
    expect(big).toMatchObject({
      status: 413,
      body: { error: { message: expect.stringContaining('BODY_LIMIT_BYTES') } },
    });
  });

  it('stops serving a key the moment it is revoked, and shows the secret once', async () => {
    const user = await gateway.api(gateway.adminKey, 'POST', '/api/users', { name: 'Temp', role: 'user' });
    const made = await gateway.api(gateway.adminKey, 'POST', '/api/keys', { user_id: user.body.id, name: 'laptop' });
    const secret = made.body.secret as string;
    expect((await gateway.api(secret, 'GET', '/api/session')).body.user).toMatchObject({ name: 'Temp', role: 'user' });
    const listed = await gateway.api(gateway.adminKey, 'GET', '/api/keys');
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    expect(JSON.stringify(await gateway.dataSource.query('select * from api_key'))).not.toContain(secret);
    const revoked = await gateway.api(gateway.adminKey, 'DELETE', `/api/keys/${made.body.id}`);
    expect(revoked.body.revoked).toBeGreaterThan(0);
    expect((await gateway.api(secret, 'GET', '/api/session')).status).toBe(401);
  });

  it('does not leave its own folder for console files', async () => {
    for (const path of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/package.json',
      '/assets/../../package.json',
    ]) {
      const answer = await fetch(gateway.baseUrl + path);
      expect(await answer.text()).not.toContain('"@attune/');
    }
  });

  it('writes no secret into its log, whatever is sent and whatever breaks', async () => {
    const wrong = 'sk-attune-a-wrong-secret';
    await gateway.api(wrong, 'GET', '/api/session');
    await chat(gateway.userKey);
    await gateway.api(gateway.userKey, 'POST', '/v1/chat/completions', { model: 1 });
    const made = await gateway.api(gateway.adminKey, 'GET', '/api/users');
    const key = await gateway.api(gateway.adminKey, 'POST', '/api/keys', { user_id: made.body.data[0].id, name: 'x' });
    expect(logLines.length).toBeGreaterThan(3);
    const log = logLines.join('');
    for (const secret of [
      wrong,
      gateway.userKey,
      gateway.adminKey,
      key.body.secret,
      new URL(gateway.databaseUrl).password,
    ]) {
      if (secret !== '') expect(log).not.toContain(secret);
    }
  });
});

describe.skipIf(!testModel)('limits', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      endless: true,
      env: { RATE_LIMIT_PER_MINUTE: '20', MAX_CONCURRENT_PER_KEY: '2', TRUST_USER_HEADERS: 'true' },
    });
  });
  afterAll(() => gateway?.close());

  const ask = (key: string, headers: Record<string, string> = {}, max_tokens = 2) =>
    fetch(`${gateway.baseUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        model: 'default',
        messages: [{ role: 'user', content: 'Once upon a time' }],
        max_tokens,
      }),
    });

  it('slows down a key that asks too often, and says for how long', async () => {
    const key = await gateway.createKey('Hasty', 'user');
    const statuses: number[] = [];
    let retryAfter = 0;
    for (let count = 0; count < 25; count++) {
      const answer = await fetch(`${gateway.baseUrl}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
      statuses.push(answer.status);
      if (answer.status === 429) retryAfter = Number(answer.headers.get('retry-after'));
    }
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20);
    expect(statuses.at(-1)).toBe(429);
    expect(retryAfter).toBeGreaterThan(0);
    expect((await ask(gateway.userKey)).status).toBe(200);
  });

  it('runs no more answers at once for a key than it may have', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask(gateway.adminKey, {}, 200)));
    const statuses = answers.map((answer) => answer.status).sort();
    expect(statuses).toEqual([200, 200, 429, 429]);
    const refused = answers.find((answer) => answer.status === 429)!;
    expect(await refused.json()).toMatchObject({ error: { code: 'concurrency_limit_exceeded' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await ask(gateway.adminKey)).status).toBe(200);
  });

  it('files answers under the person a trusted front end speaks for', async () => {
    const headers = {
      'x-openwebui-user-id': 'u-77',
      'x-openwebui-user-name': 'Wilma%20W',
      'x-openwebui-chat-id': 'c-1',
    };
    const answer = (await (await ask(gateway.adminKey, headers)).json()) as { id: string; conversation_id: string };
    expect(answer.conversation_id).toBe('conv_c-1');
    const [row] = await gateway.dataSource.query(
      'select u.name, u.role, u.external_id from completion c join user_account u on u.id = c.user_id where c.id = $1',
      [answer.id],
    );
    expect(row).toEqual({ name: 'Wilma W', role: 'user', external_id: 'u-77' });
    const asAdmin = await fetch(`${gateway.baseUrl}/api/users`, {
      headers: { authorization: `Bearer ${gateway.adminKey}`, ...headers },
    });
    expect(asAdmin.status).toBe(403);
    // Nobody else's key speaks for others.
    const own = (await (await ask(gateway.reviewerKey, headers)).json()) as { id: string; conversation_id: string };
    expect(own.conversation_id).not.toBe('conv_c-1');
    const [asker] = await gateway.dataSource.query(
      'select u.name from completion c join user_account u on u.id = c.user_id where c.id = $1',
      [own.id],
    );
    expect(asker).toEqual({ name: 'Rita' });
  });
});
