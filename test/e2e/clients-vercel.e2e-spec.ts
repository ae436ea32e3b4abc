import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  generateObject,
  generateText,
  jsonSchema,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const pet = jsonSchema<{ animal: string; age: number }>({
  type: 'object',
  properties: { animal: { enum: ['dog', 'cat'] }, age: { type: 'integer', minimum: 0, maximum: 20 } },
  required: ['animal', 'age'],
  additionalProperties: false,
});
const city = jsonSchema<{ city: string }>({
  type: 'object',
  properties: { city: { enum: ['Oslo', 'Rome'] } },
  required: ['city'],
  additionalProperties: false,
});

describe.skipIf(!testModel)(`Vercel’s openai-compatible provider (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());

  const model = () =>
    createOpenAICompatible({
      name: 'attune',
      apiKey: gateway.userKey,
      baseURL: `${gateway.baseUrl}/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(gateway.model);
  const question = { prompt: 'Tell me about a dog.', temperature: 0, maxOutputTokens: 24, maxRetries: 0 };

  it('generates text', async () => {
    const { text, usage, finishReason, response } = await generateText({ model: model(), ...question });
    expect(text).not.toBe('');
    expect(usage.totalTokens).toBe(usage.inputTokens! + usage.outputTokens!);
    expect(['stop', 'length']).toContain(finishReason);
    expect(response.id).toMatch(/^chatcmpl-/);
  });

  it('streams the same text, with its usage', async () => {
    const whole = await generateText({ model: model(), ...question });
    const stream = streamText({ model: model(), ...question });
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe(whole.text);
    expect((await stream.usage).outputTokens).toBe(whole.usage.outputTokens);
    expect(await stream.finishReason).toBe(whole.finishReason);
  });

  it('generates an object of a schema, whole and streamed', async () => {
    const asked = { model: model(), ...question, maxOutputTokens: 80, schema: pet };
    const { object } = await generateObject(asked);
    expect(['dog', 'cat']).toContain(object.animal);
    expect(Number.isInteger(object.age)).toBe(true);
    const stream = streamObject(asked);
    const parts: unknown[] = [];
    for await (const part of stream.partialObjectStream) parts.push(part);
    expect(parts.at(-1)).toEqual(object);
    expect(await stream.object).toEqual(object);
  });

  it('calls tools and goes on with their results', async () => {
    const asked: string[] = [];
    const weather = tool({
      description: 'The weather of a city.',
      inputSchema: city,
      execute: ({ city: name }: { city: string }) => {
        asked.push(name);
        return 'Sunny.';
      },
    });
    const { steps } = await generateText({
      model: model(),
      ...question,
      maxOutputTokens: 120,
      tools: { weather },
      toolChoice: { type: 'tool', toolName: 'weather' },
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => (stepNumber === 0 ? {} : { toolChoice: 'none' }),
    });
    expect(steps[0].toolCalls).toMatchObject([{ toolName: 'weather', input: { city: asked[0] } }]);
    expect(steps[0].finishReason).toBe('tool-calls');
    expect(steps).toHaveLength(2);
    expect(steps[1].toolCalls).toEqual([]);
  });

  it('streams tool calls', async () => {
    const stream = streamText({
      model: model(),
      ...question,
      maxOutputTokens: 120,
      tools: { weather: tool({ inputSchema: city }) },
      toolChoice: 'required',
    });
    const types: string[] = [];
    for await (const part of stream.fullStream) types.push(part.type);
    expect(types).toContain('tool-input-start');
    expect(types).toContain('tool-input-delta');
    expect(types).toContain('tool-call');
    expect((await stream.toolCalls)[0].toolName).toBe('weather');
  });

  it('reads errors as they were sent', async () => {
    const failing = generateText({ model: model(), ...question, temperature: 9 });
    await expect(failing).rejects.toSatisfy((error) => APICallError.isInstance(error) && error.statusCode === 400);
  });
});
