import { endpoints, type Endpoint } from '@attune/contracts';
import fc, { type Arbitrary } from 'fast-check';
import { ModulesContainer } from '@nestjs/core';
import { RequestMethod } from '@nestjs/common';
import { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { fitting, type JsonSchema } from '../support/json-arbitrary.js';

const SLOWEST_MS = 20_000;
const all = Object.values(endpoints).flat();
/** Requests to each route; with FUZZ_RUNS more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 12);
/** Training for real, or for ever, is other specs' business; the trainer is not running here. */
const withBody = all.filter(({ body, file }) => body && !file);

describe.skipIf(!testModel)(`every endpoint, fuzzed from its own schema (${testModel ? 'for real' : noModel})`, () => {
  let gateway: TestGateway;
  let known: Record<string, Arbitrary<unknown>>;
  /** Things that are there, by the place of their id in a path. */
  let real: Record<string, string> = {};
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { MAX_CONCURRENT_PER_KEY: '200' } });
    const message = fc.record({ role: fc.constantFrom('user', 'system', 'assistant'), content: fc.string() });
    known = {
      model: fc.constantFrom(gateway.model, 'default'),
      messages: fc.array(message, { minLength: 1, maxLength: 3 }),
      max_tokens: fc.integer({ min: 1, max: 8 }),
      max_completion_tokens: fc.constant(undefined),
      max_output_tokens: fc.integer({ min: 16, max: 20 }),
      input: fc.string({ minLength: 1 }),
      n: fc.constantFrom(undefined, 1, 2),
      background: fc.constantFrom(undefined, false),
    };
    real = await makeOneOfEach(gateway);
  });
  afterAll(() => gateway?.close());

  const call = async ({ method, path }: Endpoint, body?: unknown, ids = real) => {
    const place = path.replaceAll(/\{\w+\}/g, (name) => ids[path.split('{')[0] + name] ?? 'nothing_like_it');
    const started = performance.now();
    const answer = await gateway.api(gateway.adminKey, method.toUpperCase(), place, body);
    return { ...answer, ms: performance.now() - started };
  };
  const expectDecent = ({ status, body, ms }: Awaited<ReturnType<typeof call>>) => {
    expect(status, JSON.stringify(body)).toBeLessThan(500);
    expect(ms).toBeLessThan(SLOWEST_MS);
    if (status < 400) return;
    expect(body).toEqual({
      error: {
        message: expect.stringMatching(/\S/),
        type: expect.stringMatching(/_error$/),
        param: expect.toSatisfy((param) => param === null || typeof param === 'string'),
        code: expect.toSatisfy((code) => code === null || typeof code === 'string'),
      },
    });
  };

  it('the description names every route there is, and no other', () => {
    const described = all.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual(routesOf(gateway).toSorted());
  });

  it.each(withBody.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const))(
    '%s answers or refuses, whatever it is sent',
    async (_, endpoint) => {
      const schema = z.toJSONSchema(endpoint.body!, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
      await fc.assert(
        fc.asyncProperty(fitting(schema, known), async (body) => expectDecent(await call(endpoint, body))),
        { numRuns: RUNS, seed: 20_26 },
      );
    },
  );

  it.each(
    all
      .filter(({ method }) => method === 'get' || method === 'delete')
      .map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const),
  )('%s knows nothing of what is not there', async (_, endpoint) => {
    if (endpoint.path === '/metrics') return;
    const answer = await call(endpoint, undefined, {});
    expectDecent(answer);
    if (endpoint.path.includes('{')) expect(answer.status).toBe(404);
  });

  it.each(all.filter(({ method }) => method !== 'patch').map((one) => [`${one.method} ${one.path}`, one] as const))(
    '%s refuses characters nothing is named with',
    async (_, endpoint) => {
      if (endpoint.path === '/metrics') return;
      const nul = new Proxy({}, { get: () => '%00' });
      expectDecent(await call(endpoint, endpoint.body && {}, nul));
      if (endpoint.method !== 'get') return;
      expectDecent(await call({ ...endpoint, path: `${endpoint.path}?after=%00` }));
    },
  );

  it('leaves no row half written', async () => {
    const open = () => gateway.dataSource.query(`select count(*)::int as n from completion where status = 'open'`);
    await expect.poll(async () => (await open())[0].n, { timeout: 20_000 }).toBe(0);
  });
});

async function makeOneOfEach({ client, adminKey }: TestGateway): Promise<Record<string, string>> {
  const openai = client(adminKey);
  const text = await openai.files.create({ file: await toFile(Buffer.from('A fact.'), 'a.txt'), purpose: 'user_data' });
  const store = await openai.vectorStores.create({ file_ids: [text.id] });
  const made = await openai.evals.create({
    data_source_config: { type: 'custom', item_schema: { type: 'object' } },
    testing_criteria: [{ type: 'string_check', name: 'same', operation: 'eq', input: 'a', reference: 'a' }],
  });
  const hook = await openai.webhooks.create({ name: 'x', url: 'http://127.0.0.1:9', event_types: ['batch.completed'] });
  const conversation = await openai.conversations.create();
  return {
    '/v1/vector_stores/{id}': store.id,
    '/v1/vector_stores/{store}': store.id,
    '/v1/evals/{eval}': made.id,
    '/v1/webhook_endpoints/{id}': hook.id,
    '/v1/conversations/{id}': conversation.id,
  };
}

/** `GET /v1/files/{id}` of every handler of every controller. */
function routesOf({ gateway }: TestGateway): string[] {
  const routes: string[] = [];
  for (const module of gateway.app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (!metatype) continue;
      const base = Reflect.getMetadata('path', metatype) as string;
      for (const name of Object.getOwnPropertyNames(metatype.prototype)) {
        const handler = (metatype.prototype as Record<string, object>)[name];
        const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
        if (method === undefined) continue;
        const place = `/${base}/${Reflect.getMetadata('path', handler) as string}`
          .replaceAll(/\/+/g, '/')
          .replace(/\/$/, '');
        routes.push(`${RequestMethod[method]} ${place.replaceAll(/:(\w+)/g, '{$1}')}`);
      }
    }
  }
  // The console's pages are no API.
  return routes.filter((route) => !route.includes('*'));
}
