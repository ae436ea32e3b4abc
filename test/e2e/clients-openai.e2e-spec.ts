import OpenAI from 'openai';
import { LengthFinishReasonError } from 'openai/core/error';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const pet = z.object({ animal: z.enum(['dog', 'cat']), tame: z.boolean(), owner: z.enum(['Ada', 'Bo']).nullable() });
const city = z.object({ city: z.enum(['Oslo', 'Rome']) });
const question = { role: 'user' as const, content: 'Tell me about a dog.' };

/** What the official client offers beyond plain requests: each of its helpers reads our answers its own way. */
describe.skipIf(!testModel)(`the official client’s helpers (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await startTestGateway();
    client = gateway.openai;
  });
  afterAll(() => gateway?.close());
  const base = () => ({ model: gateway.model, messages: [question], temperature: 0, max_tokens: 120 });

  it('parse an answer by its zod schema', async () => {
    const answer = await client.chat.completions.parse({ ...base(), response_format: zodResponseFormat(pet, 'pet') });
    const { parsed } = answer.choices[0].message;
    expect(pet.parse(parsed)).toEqual(parsed);
  });

  it('parse a call by the zod schema of its function', async () => {
    const answer = await client.chat.completions.parse({
      ...base(),
      tools: [zodFunction({ name: 'weather', parameters: city })],
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    const [call] = answer.choices[0].message.tool_calls!;
    if (call.type !== 'function') throw new Error('Only functions were offered.');
    expect(city.safeParse(call.function.parsed_arguments).success).toBe(true);
  });

  it('stream with events, and end with what a plain request gives', async () => {
    const whole = await client.chat.completions.create(base());
    const stream = client.chat.completions.stream({ ...base(), stream_options: { include_usage: true } });
    const deltas: string[] = [];
    stream.on('content.delta', ({ delta }) => deltas.push(delta));
    const last = await stream.finalChatCompletion();
    expect(deltas.join('')).toBe(whole.choices[0].message.content);
    expect(last.choices[0].message.content).toBe(whole.choices[0].message.content);
    expect(last.choices[0].finish_reason).toBe(whole.choices[0].finish_reason);
    expect((await stream.totalUsage()).completion_tokens).toBe(whole.usage!.completion_tokens);
  });

  it('stream likelihoods and calls with events', async () => {
    const likely = client.chat.completions.stream({ ...base(), max_tokens: 6, logprobs: true, top_logprobs: 1 });
    let told = 0;
    likely.on('logprobs.content.delta', ({ content }) => (told += content.length));
    const { choices, usage } = await likely.finalChatCompletion();
    expect(choices[0].logprobs!.content!).toHaveLength(told);
    expect(told).toBeGreaterThan(0);
    expect(usage).toBeUndefined();

    const calling = client.chat.completions.stream({
      ...base(),
      tools: [zodFunction({ name: 'weather', parameters: city })],
      tool_choice: { type: 'function', function: { name: 'weather' } },
    });
    const events: { name: string; parsed_arguments: unknown }[] = [];
    calling.on('tool_calls.function.arguments.done', (event) => events.push(event));
    expect((await calling.finalChatCompletion()).choices[0].finish_reason).toBe('tool_calls');
    expect(events).toMatchObject([{ name: 'weather', parsed_arguments: { city: expect.any(String) } }]);
  });

  it('run tools and answer with their results', async () => {
    const asked: unknown[] = [];
    const runner = client.chat.completions.runTools(
      {
        ...base(),
        tools: [
          {
            type: 'function',
            function: {
              name: 'weather',
              description: 'The weather of a city.',
              parse: JSON.parse,
              function: (args: unknown) => {
                asked.push(args);
                return 'Sunny.';
              },
              parameters: z.toJSONSchema(city) as Record<string, unknown>,
            },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'weather' } },
      },
      { maxChatCompletions: 2 },
    );
    await runner.done();
    expect(asked).toMatchObject([{ city: expect.any(String) }]);
    expect(runner.messages.map((message) => message.role)).toContain('tool');
  });

  it('read errors, request ids and raw responses', async () => {
    const failed = client.chat.completions.create({ ...base(), temperature: 9 });
    await expect(failed).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(failed).rejects.toMatchObject({ requestID: expect.stringMatching(/^req_/), param: 'temperature' });
    const parsing = client.chat.completions.parse({
      ...base(),
      max_tokens: 2,
      response_format: zodResponseFormat(pet, 'pet'),
    });
    await expect(parsing).rejects.toBeInstanceOf(LengthFinishReasonError);
    const { response } = await client.chat.completions.create(base()).withResponse();
    expect(response.headers.get('content-type')).toContain('application/json');
  });

  it('stop an answer that is streamed', async () => {
    const stream = client.chat.completions.stream({ ...base(), max_tokens: 400, ...({ ignore_eos: true } as object) });
    stream.on('content.delta', () => stream.abort());
    await expect(stream.done()).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await expect.poll(async () => (await gateway.loaded.engine.stats()).running, { timeout: 5_000 }).toBe(0);
  });
});
