import { readFileSync } from 'node:fs';
import type { EngineHost } from '@attune/engine';
import type { Checkpoint } from '@attune/persistence';
import { createRandom } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../support/collect-garbage.js';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { publishAdapter } from '../support/publish-checkpoint.js';

const REQUESTS = Number(process.env.SOAK_REQUESTS ?? 20_000);
const AT_ONCE = 24;
const SAMPLES = 16;
/** Allocators keep freed pages, which the engine's figure counts; what must not happen is that every thousand requests cost some. */
const MOST_GROWTH_MB = { gateway: 8, engine: 64 } as const;

describe.skipIf(!testModel)(`a soak (${testModel ? 'of the real gateway' : noModel})`, () => {
  let gateway: TestGateway;
  const adapters: Checkpoint[] = [];
  beforeAll(async () => {
    const env = { MAX_CONCURRENT_PER_KEY: '100', RATE_LIMIT_PER_MINUTE: '10000000', ENGINE_MAX_ADAPTERS: '3' };
    gateway = await startTestGateway({ endless: true, env });
    for (const seed of [1, 2, 3, 4, 5]) adapters.push(await publishAdapter(gateway, seed));
  });
  afterAll(() => gateway?.close());

  it(`of ${REQUESTS} mixed requests loses no row and no memory`, async () => {
    const random = createRandom(7);
    const counts = { done: 0, cancelled: 0, refused: 0 };
    const memory: { gateway: number; engine: number }[] = [];
    let sent = 0;
    const worker = async () => {
      while (sent < REQUESTS) {
        const number = sent++;
        if (number % Math.ceil(REQUESTS / SAMPLES) === 0) memory.push(held(gateway));
        if (number % 400 === 399) await promoteAny(random.int(adapters.length + 1));
        if (number % 5_000 === 4_999) process.kill((gateway.loaded.engine as unknown as EngineHost).pid!, 'SIGKILL');
        counts[await kinds[random.int(kinds.length)]!(number)] += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    memory.push(held(gateway));

    const rows: { status: string; count: number }[] = await gateway.dataSource.query(
      'select status, count(*)::int as count from completion group by status',
    );
    const byStatus = Object.fromEntries(rows.map(({ status, count }) => [status, count]));
    // A reader who leaves may do so when the last word is out already.
    expect(Object.keys(byStatus).filter((status) => status !== 'done' && status !== 'cancelled')).toEqual([]);
    expect((byStatus.done ?? 0) + (byStatus.cancelled ?? 0)).toBe(counts.done + counts.cancelled);
    expect(byStatus.done).toBeGreaterThanOrEqual(counts.done);
    expect(counts.done + counts.cancelled + counts.refused).toBe(REQUESTS);
    for (const process of ['gateway', 'engine'] as const) {
      const sizes = memory.map((sample) => sample[process]);
      const growth = Math.max(...sizes.slice(-4)) - Math.max(...sizes.slice(4, 8));
      expect(growth, `${process}: ${sizes.map(Math.round).join(', ')} MB`).toBeLessThan(MOST_GROWTH_MB[process]);
    }
  });

  async function promoteAny(choice: number): Promise<void> {
    const id = adapters[choice]?.id ?? 'base';
    const { status } = await gateway.api(gateway.adminKey, 'POST', `/api/checkpoints/${id}/promote`);
    // 409: it is live already; 503: the engine is being replaced, and takes these weights when it is back.
    expect([200, 409, 503]).toContain(status);
  }

  const body = (number: number, model = gateway.model) => ({
    model,
    messages: [{ role: 'user' as const, content: `Tell me about the number ${number % 50}.` }],
    max_tokens: 4 + (number % 12),
  });

  const whole = async (number: number) => {
    const answer = await gateway.openai.chat.completions.create(body(number));
    expect(answer.choices[0]!.finish_reason).toBe('length');
    return 'done' as const;
  };
  const named = async (number: number) => {
    const { id, weightsDigest } = adapters[number % adapters.length]!;
    try {
      const answer = await gateway.openai.chat.completions.create(body(number, `${gateway.model}:${id}`));
      expect(answer.system_fingerprint).toBe(weightsDigest);
      return 'done' as const;
    } catch (error) {
      // The process that was reading the checkpoint was killed: nothing has begun, and the error says to try again.
      expect(error).toMatchObject({ status: 503 });
      return 'refused' as const;
    }
  };
  /** Random adapters may say nothing that is text, but they say it to the end. */
  const streamed = async (number: number) => {
    const wanted = { ...body(number), stream: true, stream_options: { include_usage: true } } as const;
    let [finish, tokens]: [string | null, number | undefined] = [null, undefined];
    for await (const { choices, usage } of await gateway.openai.chat.completions.create(wanted)) {
      finish = choices[0]?.finish_reason ?? finish;
      tokens = usage?.completion_tokens ?? tokens;
    }
    expect({ finish, tokens }).toEqual({ finish: 'length', tokens: wanted.max_tokens });
    return 'done' as const;
  };
  const left = async (number: number) => {
    const stream = await gateway.openai.chat.completions.create({ ...body(number), max_tokens: 100, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    return 'cancelled' as const;
  };
  const structured = async (number: number) => {
    const choices = { type: 'json_schema' as const, json_schema: { name: 'n', strict: true, schema: numberSchema } };
    const answer = await gateway.openai.chat.completions.create({
      ...body(number),
      max_tokens: 40,
      response_format: choices,
    });
    expect(answer.choices[0]!.message.content).toContain('{');
    return 'done' as const;
  };
  const refused = async (number: number) => {
    const wrong = number % 2 ? { ...body(number), model: 'gpt-none' } : { ...body(number), temperature: 9 };
    // Not `rejects`: what it was asked, with the error, would be held to the end of the test.
    const error = await gateway.openai.chat.completions.create(wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: number % 2 ? 404 : 400 });
    return 'refused' as const;
  };
  const kinds = [whole, whole, named, streamed, streamed, left, structured, refused];
});

const numberSchema = {
  type: 'object',
  properties: { n: { type: 'boolean' } },
  required: ['n'],
  additionalProperties: false,
};

/** Megabytes: what the gateway holds (with the client, which shares its process here), and the engine's resident ones. */
function held(gateway: TestGateway): { gateway: number; engine: number } {
  const { pid } = gateway.loaded.engine as unknown as EngineHost;
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return { gateway: (heapUsed + external) / 1e6, engine: residentOf(pid!) };
}

function residentOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1000;
  } catch {
    return 0; // being replaced at this moment
  }
}
