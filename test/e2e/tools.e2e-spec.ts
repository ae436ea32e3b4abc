import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

type Tool = OpenAI.ChatCompletionFunctionTool;
type Create = OpenAI.ChatCompletionCreateParamsNonStreaming;

const weather: Tool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { enum: ['Oslo', 'Rome'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
};
const light: Tool = {
  type: 'function',
  function: {
    name: 'switch_light',
    parameters: {
      type: 'object',
      properties: { on: { type: 'boolean' } },
      required: ['on'],
      additionalProperties: false,
    },
  },
};
const question = { role: 'user' as const, content: 'What is the weather in Oslo?' };

describe.skipIf(!testModel)(`tool calls (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());

  const ask = (fields: Partial<Create> = {}) =>
    gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [question],
      temperature: 0,
      max_tokens: 160,
      tools: [weather, light],
      ...fields,
    });
  const calls = (answer: OpenAI.ChatCompletion) =>
    (answer.choices[0].message.tool_calls ?? []) as OpenAI.ChatCompletionMessageFunctionToolCall[];

  it('are made when they must be, with arguments that follow the schema', async () => {
    const answer = await ask({ tool_choice: 'required', parallel_tool_calls: false });
    const [choice] = answer.choices;
    expect(choice.finish_reason).toBe('tool_calls');
    expect(choice.message.content).toBeNull();
    expect(calls(answer)).toHaveLength(1);
    expect(calls(answer)[0].id).toMatch(/^call_[0-9a-z]{24}$/);
    expect(['get_weather', 'switch_light']).toContain(calls(answer)[0].function.name);
    expect(JSON.parse(calls(answer)[0].function.arguments)).toBeTypeOf('object');
  });

  it('are of the function that is named', async () => {
    for (const tool of [weather, light]) {
      const { name } = tool.function;
      const answer = await ask({ tool_choice: { type: 'function', function: { name } } });
      expect(calls(answer).map((call) => call.function.name)).toEqual([name]);
    }
    const answer = await ask({ tool_choice: { type: 'function', function: { name: 'get_weather' } } });
    const given = JSON.parse(calls(answer)[0].function.arguments) as { city: string; days: number };
    expect(['Oslo', 'Rome']).toContain(given.city);
    expect(given.days).toBeGreaterThanOrEqual(1);
    expect(given.days).toBeLessThanOrEqual(9);
  });

  it('are of the allowed ones only', async () => {
    const answer = await ask({
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'switch_light' } }] },
      } as never,
      parallel_tool_calls: false,
    });
    expect(calls(answer).map((call) => call.function.name)).toEqual(['switch_light']);
  });

  it('stream the id and the name first, then the arguments, under one index', async () => {
    const settings = { tool_choice: { type: 'function' as const, function: { name: 'get_weather' } } };
    const whole = await ask(settings);
    const stream = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [question],
      temperature: 0,
      max_tokens: 160,
      tools: [weather, light],
      ...settings,
      stream: true,
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const deltas = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
    expect(deltas[0]).toMatchObject({
      index: 0,
      id: expect.stringMatching(/^call_/),
      type: 'function',
      function: { name: 'get_weather', arguments: '' },
    });
    expect(deltas.length).toBeGreaterThan(2);
    expect(deltas.slice(1).every((delta) => delta.index === 0 && delta.id === undefined)).toBe(true);
    const text = deltas.map((delta) => delta.function?.arguments ?? '').join('');
    expect(text).toBe(calls(whole)[0].function.arguments);
    expect(chunks.every((chunk) => !chunk.choices[0].delta.content)).toBe(true);
    expect(chunks.at(-1)!.choices[0]).toMatchObject({ delta: {}, finish_reason: 'tool_calls' });
  });

  it('that were cut by max_tokens end with `length`', async () => {
    const answer = await ask({
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      max_tokens: 24,
    });
    expect(answer.choices[0].finish_reason).toBe('length');
  });

  it('come back with their results', async () => {
    const first = await ask({ tool_choice: { type: 'function', function: { name: 'get_weather' } } });
    const call = calls(first)[0];
    const second = await ask({
      messages: [
        question,
        first.choices[0].message,
        { role: 'tool', tool_call_id: call.id, content: 'Sunny, 21 degrees.' },
      ],
      tool_choice: 'none',
      max_tokens: 12,
    });
    expect(second.choices[0].message.tool_calls).toBeUndefined();
    expect(['stop', 'length']).toContain(second.choices[0].finish_reason);
    const row = await gateway.dataSource.query(
      'select messages, tool_calls from completion where id = any($1) order by opened_at',
      [[first.id, second.id]],
    );
    expect(row[0].tool_calls).toEqual(first.choices[0].message.tool_calls);
    expect(row[1].messages.at(-1)).toMatchObject({ role: 'tool', tool_call_id: call.id, name: 'get_weather' });
  });

  it('left to the model answer in words or in calls, and say which', async () => {
    const answer = await ask({ max_tokens: 60 });
    const called = calls(answer).length > 0;
    const { finish_reason: reason } = answer.choices[0];
    expect(reason === 'length' || (reason === 'tool_calls') === called).toBe(true);
    if (called) for (const call of calls(answer)) expect(() => JSON.parse(call.function.arguments)).not.toThrow();
  });

  it('speak the older form to clients that send `functions`', async () => {
    const answer = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [question],
      temperature: 0,
      max_tokens: 120,
      functions: [weather.function as OpenAI.ChatCompletionCreateParams.Function],
      function_call: { name: 'get_weather' },
    });
    const { function_call: call } = answer.choices[0].message;
    expect(call?.name).toBe('get_weather');
    expect(answer.choices[0].finish_reason).toBe('function_call');
    const next = await gateway.openai.chat.completions.create({
      model: gateway.model,
      messages: [
        question,
        { role: 'assistant', content: null, function_call: call! },
        { role: 'function', name: 'get_weather', content: 'Rain.' },
      ],
      temperature: 0,
      max_tokens: 4,
    });
    expect(next.choices[0].message.content).toBeTypeOf('string');
  });

  it.each<[string, Partial<Create>, string]>([
    ['a choice without tools', { tools: undefined, tool_choice: 'required' }, 'tool_choice'],
    ['a name that is no tool', { tool_choice: { type: 'function', function: { name: 'nothing' } } }, 'tool_choice'],
    ['two of a name', { tools: [light, light] }, 'tools'],
    ['a custom tool', { tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools.0'],
    [
      'a name no model could write',
      { tools: [{ type: 'function', function: { name: 'a b' } }] },
      'tools.0.function.name',
    ],
    [
      'a result of no call',
      { messages: [question, { role: 'tool', tool_call_id: 'call_x', content: '' }] },
      'messages.1',
    ],
    ['a format beside a free choice', { response_format: { type: 'json_object' } }, 'response_format'],
    [
      'a schema that cannot be followed',
      { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'nonsense' } } }] },
      'tools',
    ],
  ])('are refused by name: %s', async (_, fields, param) => {
    await expect(ask(fields)).rejects.toMatchObject({ status: 400, param, type: 'invalid_request_error' });
  });
});
