import { AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, type ChatOpenAIFields } from '@langchain/openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

/** The cases LangChain's own standard tests of chat models name, by ChatOpenAI pointed at the gateway. */
const adder = tool(({ a, b }: { a: number; b: number }) => String(a + b), {
  name: 'math_addition',
  description: 'Adds two numbers.',
  schema: z.object({ a: z.number().int().min(0).max(99), b: z.number().int().min(0).max(99) }),
});
const joke = z.object({ kind: z.enum(['pun', 'riddle']), funny: z.boolean() });
const hello = new HumanMessage('Hello');

describe.skipIf(!testModel)(`LangChain’s ChatOpenAI (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  let chat: ChatOpenAI;
  const model = (fields: Partial<ChatOpenAIFields> = {}) =>
    new ChatOpenAI({
      model: gateway.model,
      apiKey: gateway.userKey,
      temperature: 0,
      maxTokens: 24,
      maxRetries: 0,
      useResponsesApi: false,
      configuration: { baseURL: `${gateway.baseUrl}/v1` },
      ...fields,
    });
  beforeAll(async () => {
    gateway = await startTestGateway();
    chat = model();
  });
  afterAll(() => gateway?.close());

  it('invokes, and reads usage and metadata', async () => {
    const answer = await chat.invoke([hello]);
    expect(answer).toBeInstanceOf(AIMessage);
    expect(answer.content).toBeTypeOf('string');
    expect(answer.usage_metadata).toMatchObject({
      input_tokens: expect.any(Number),
      output_tokens: expect.any(Number),
      total_tokens: expect.any(Number),
    });
    expect(answer.response_metadata).toMatchObject({ system_fingerprint: expect.stringMatching(/^fp_/) });
  });

  it('streams, with the usage at the end, the same text', async () => {
    const whole = await chat.invoke([hello]);
    let joined: AIMessageChunk | undefined;
    let count = 0;
    for await (const chunk of await chat.stream([hello])) {
      joined = joined ? joined.concat(chunk) : chunk;
      count += 1;
    }
    expect(count).toBeGreaterThan(2);
    expect(joined!.content).toBe(whole.content);
    expect(joined!.usage_metadata).toMatchObject({ output_tokens: whole.usage_metadata!.output_tokens });
  });

  it('asks a batch, and several answers of one question', async () => {
    const answers = await chat.batch([[hello], [new HumanMessage('Goodbye')]]);
    expect(answers.map((answer) => typeof answer.content)).toEqual(['string', 'string']);
    const generated = await model({ n: 2, temperature: 1 }).generate([[hello]]);
    expect(generated.generations[0]).toHaveLength(2);
  });

  it('carries a conversation, with a system message and parts', async () => {
    const history = [
      new SystemMessage('Be brief.'),
      hello,
      new AIMessage('Hello.'),
      new HumanMessage({ content: [{ type: 'text', text: 'How are you?' }] }),
    ];
    expect((await chat.invoke(history)).content).toBeTypeOf('string');
  });

  it('stops at a sequence, and tells likelihoods', async () => {
    const whole = (await chat.invoke([hello])).content as string;
    const stop = whole.slice(2, 5);
    expect((await chat.invoke([hello], { stop: [stop] })).content).toBe(whole.slice(0, whole.indexOf(stop)));
    const likely = await model({ logprobs: true, topLogprobs: 2 }).invoke([hello]);
    const { content } = likely.response_metadata.logprobs as { content: { top_logprobs: unknown[] }[] };
    expect(content.length).toBeGreaterThan(0);
    expect(content[0].top_logprobs).toHaveLength(2);
  });

  it('binds tools, in either form, and reads their calls', async () => {
    const long = model({ maxTokens: 160 });
    const bound = long.bindTools([adder], { tool_choice: 'math_addition' });
    const [call] = (await bound.invoke([new HumanMessage('What is 1 + 2?')])).tool_calls!;
    expect(call).toMatchObject({ name: 'math_addition', args: { a: expect.any(Number), b: expect.any(Number) } });
    const plain = long.bindTools(
      [{ type: 'function', function: { name: 'off', parameters: { type: 'object', properties: {} } } }],
      { tool_choice: 'required', parallel_tool_calls: false },
    );
    expect((await plain.invoke([hello])).tool_calls!.map(({ name }) => name)).toEqual(['off']);
  });

  it('streams tool calls', async () => {
    const bound = model({ maxTokens: 160 }).bindTools([adder], { tool_choice: 'math_addition' });
    let joined: AIMessageChunk | undefined;
    for await (const chunk of await bound.stream([new HumanMessage('What is 3 + 4?')])) {
      joined = joined ? joined.concat(chunk) : chunk;
    }
    expect(joined!.tool_calls).toHaveLength(1);
    expect(joined!.tool_calls![0]).toMatchObject({ name: 'math_addition', args: { a: expect.any(Number) } });
  });

  it('sends results of tools back, as text and as parts', async () => {
    const call = { name: 'math_addition', id: 'call_1', args: { a: 1, b: 2 }, type: 'tool_call' as const };
    const asked = [hello, new AIMessage({ content: '', tool_calls: [call] })];
    for (const content of ['3', [{ type: 'text' as const, text: '3' }]]) {
      const result = new ToolMessage({ content, tool_call_id: 'call_1', name: 'math_addition' });
      const answer = await chat.bindTools([adder]).invoke([...asked, result, new HumanMessage('So?')]);
      expect(answer).toBeInstanceOf(AIMessage);
    }
  });

  it.each(['jsonSchema', 'functionCalling'] as const)('gives structured answers by %s', async (method) => {
    const structured = model({ maxTokens: 160 }).withStructuredOutput(joke, { name: 'joke', method, includeRaw: true });
    const { parsed, raw } = await structured.invoke([hello]);
    expect(joke.safeParse(parsed).success).toBe(true);
    expect(raw).toBeInstanceOf(AIMessage);
  });

  it('reports errors as the client’s own', async () => {
    await expect(model({ model: 'nothing' }).invoke([hello])).rejects.toMatchObject({ status: 404 });
    await expect(model({ apiKey: 'wrong' }).invoke([hello])).rejects.toMatchObject({ status: 401 });
  });
});
