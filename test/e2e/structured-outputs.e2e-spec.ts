import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

/** https://github.com/json-schema-org/JSON-Schema-Test-Suite */
const archive = fileURLToPath(new URL('../../../shared/data/eval/json_schema_test_suite.tar.gz', import.meta.url));
/** https://gorilla.cs.berkeley.edu/leaderboard.html */
const functions = fileURLToPath(new URL('../../../shared/data/eval/bfcl_simple_50.jsonl', import.meta.url));
const reason = testModel ? (existsSync(archive) ? 'draft 2020-12' : 'no ../shared/data/eval') : noModel;

interface Case {
  file: string;
  description: string;
  schema: unknown;
}

function suite(): Case[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'attune-schemas-'));
  try {
    execFileSync('tar', ['-xzf', archive, '-C', folder]);
    const drafts = path.join(folder, 'tests/draft2020-12');
    const files = readdirSync(drafts).filter((name) => name.endsWith('.json'));
    return files.flatMap((file) =>
      (JSON.parse(readFileSync(path.join(drafts, file), 'utf8')) as Case[]).map((one) => ({ ...one, file })),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface FunctionCase {
  question: [{ role: 'user'; content: string }][];
  function: [{ name: string; description: string; parameters: object }];
}

/** The leaderboard writes types as Python does, and names as OpenAI does not take them. */
function functionCases(): { content: string; definition: { name: string; description: string; parameters: object } }[] {
  return readFileSync(functions, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const typed = line
        .replaceAll('"type": "dict"', '"type": "object"')
        .replaceAll('"type": "float"', '"type": "number"')
        .replaceAll('"type": "tuple"', '"type": "array"')
        // A model that knows no JSON would never end a text or a list by itself.
        .replaceAll('"type": "array"', '"type": "array", "maxItems": 2')
        .replaceAll('"type": "string"', '"type": "string", "maxLength": 8');
      const {
        question,
        function: [one],
      } = JSON.parse(typed) as FunctionCase;
      return { content: question[0][0].content, definition: { ...one, name: one.name.replaceAll('.', '_') } };
    });
}

describe.skipIf(!testModel || !existsSync(functions))(`the functions of a leaderboard (${reason})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { MAX_CONCURRENT_PER_KEY: '64' } });
  });
  afterAll(() => gateway?.close());

  it('are called with arguments that follow their schemas, even by a model that knows none of them', async () => {
    const answers = await Promise.all(
      functionCases().map(async ({ content, definition }, seed) => {
        const { status, body } = await gateway.api(gateway.userKey, 'POST', '/v1/chat/completions', {
          model: gateway.model,
          messages: [{ role: 'user', content }],
          tools: [{ type: 'function', function: definition }],
          tool_choice: 'required',
          parallel_tool_calls: false,
          seed,
          max_tokens: 200,
        });
        return { status, body, definition };
      }),
    );
    const tooLong = answers.filter(({ body }) => body.error?.code === 'context_length_exceeded');
    const answered = answers.filter(({ status }) => status === 200);
    expect(answered.length + tooLong.length).toBe(answers.length);
    const called = answered.filter(({ body }) => body.choices[0].finish_reason === 'tool_calls');
    for (const { body, definition } of called) {
      const [call] = body.choices[0].message.tool_calls;
      expect(call.function.name).toBe(definition.name);
      const validate = new Ajv2020({ strict: false }).compile(definition.parameters);
      expect([validate(JSON.parse(call.function.arguments as string)), call.function.arguments]).toEqual([
        true,
        call.function.arguments,
      ]);
    }
    expect(called.length).toBeGreaterThan(answered.length / 10);
    if (process.env.TEST_LOG_LEVEL)
      console.log({ called: called.length, answered: answered.length, tooLong: tooLong.length });
  });
});

describe.skipIf(!testModel || !existsSync(archive))(`the JSON-Schema-Test-Suite under strict mode (${reason})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { MAX_CONCURRENT_PER_KEY: '64' } });
  });
  afterAll(() => gateway?.close());

  const ask = (schema: unknown, seed: number) =>
    gateway.api(gateway.userKey, 'POST', '/v1/chat/completions', {
      model: gateway.model,
      messages: [{ role: 'user', content: 'Give me an example.' }],
      response_format: { type: 'json_schema', json_schema: { name: 'suite', strict: true, schema } },
      temperature: 1,
      seed,
      max_tokens: 64,
    });

  it('is accepted, and then kept by every answer, or refused with the place and the reason', async () => {
    const cases = suite();
    const outcomes = { refused: 0, accepted: 0, cut: 0 };
    const wrong: string[] = [];
    const check = async ({ file, description, schema }: Case, seed: number) => {
      const where = `${file}: ${description}`;
      const { status, body } = await ask(schema, seed);
      if (status === 400) {
        outcomes.refused += 1;
        if (!(body.error.message as string).startsWith('`response_format'))
          wrong.push(`${where}: ${body.error.message}`);
        return;
      }
      if (status !== 200) return void wrong.push(`${where}: ${status} ${JSON.stringify(body)}`);
      outcomes.accepted += 1;
      const [choice] = body.choices;
      if (choice.finish_reason === 'length') return void (outcomes.cut += 1);
      const validate = new Ajv2020({ strict: false, validateSchema: false }).compile(schema as object);
      const text = choice.message.content as string;
      if (!validate(JSON.parse(text))) wrong.push(`${where}: ${text} against ${JSON.stringify(schema)}`);
    };
    for (let start = 0; start < cases.length; start += 32) {
      await Promise.all(cases.slice(start, start + 32).map((one, index) => check(one, start + index)));
    }
    if (process.env.TEST_LOG_LEVEL) console.log(outcomes);
    expect(wrong).toEqual([]);
    expect(outcomes.accepted).toBeGreaterThan(60);
    expect(outcomes.cut).toBeLessThan(outcomes.accepted / 2);
    expect(outcomes.refused).toBeGreaterThan(0);
  });
});
