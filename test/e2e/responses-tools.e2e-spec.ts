import { CompletionRepository } from '@attune/persistence';
import { toFile, type default as OpenAI } from 'openai';
import type { ResponseStreamParams } from 'openai/lib/responses/ResponseStream';
import { describe, expect, it } from 'vitest';
import { noModel, testModel } from '../support/gateway.js';
import { useResponses, type Create } from '../support/responses.js';

describe.skipIf(!testModel)(`tools of Responses (${testModel ? 'served for real' : noModel})`, () => {
  const { gateway, responses, asked, ask, refused } = useResponses();

  it('calls functions and takes their results', async () => {
    const tool: OpenAI.Responses.FunctionTool = {
      type: 'function',
      name: 'weather',
      description: 'The weather of a city.',
      strict: true,
      parameters: {
        type: 'object',
        properties: { city: { enum: ['Rome', 'Oslo'] } },
        required: ['city'],
        additionalProperties: false,
      },
    };
    const fields: Partial<Create> = {
      tools: [tool],
      tool_choice: { type: 'function', name: 'weather' },
      parallel_tool_calls: false,
      max_output_tokens: 100,
    };
    const first = await ask({ ...fields, input: 'What is the weather in Rome?' });
    const call = first.output[0]!;
    if (call.type !== 'function_call') return expect.unreachable(JSON.stringify(first));
    expect(call).toMatchObject({ name: 'weather', status: 'completed', id: expect.stringMatching(/^fc_/) });
    expect(['Rome', 'Oslo']).toContain(JSON.parse(call.arguments).city);

    const types: string[] = [];
    const stream = responses().stream(
      asked({ ...fields, input: 'What is the weather in Rome?' }) as ResponseStreamParams,
    );
    for await (const event of stream) types.push(event.type);
    expect(types).toContain('response.function_call_arguments.delta');
    expect(types).toContain('response.function_call_arguments.done');

    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' };
    const second = await ask({ previous_response_id: first.id, input: [output], max_output_tokens: 8 });
    expect(second.output[0]).toMatchObject({ type: 'message' });
    const { messages } = await new CompletionRepository(gateway().dataSource).get(second.id);
    expect(messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: call.call_id, function: { name: 'weather' } }] },
      { role: 'tool', content: 'sunny', tool_call_id: call.call_id, name: 'weather' },
    ]);
    expect(await refused({ input: [{ ...output, call_id: 'call_none' }] })).toMatchObject({
      code: 'function_call_not_found',
    });
  });

  it('answers from files it has searched, and cites them', async () => {
    const { files, vectorStores } = gateway().openai;
    const text = 'The warranty of the Falcon lamp is 7 years.';
    const file = await files.create({ file: await toFile(Buffer.from(text), 'lamp.txt'), purpose: 'assistants' });
    const store = await vectorStores.create({ name: 'Products' });
    await vectorStores.files.createAndPoll(store.id, { file_id: file.id }, { pollIntervalMs: 50 });
    const tools: Create['tools'] = [{ type: 'file_search', vector_store_ids: [store.id], max_num_results: 3 }];
    const question = 'How long is the warranty of the Falcon lamp?';
    const events = [];
    const stream = await responses().create({ ...asked({ tools, input: question }), stream: true });
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type).slice(2, 7)).toEqual([
      'response.output_item.added',
      'response.file_search_call.in_progress',
      'response.file_search_call.searching',
      'response.file_search_call.completed',
      'response.output_item.done',
    ]);
    expect(events.some(({ type }) => type === 'response.output_text.annotation.added')).toBe(true);
    const shown = await ask({ tools, input: question, include: ['file_search_call.results'] });
    expect(shown.output).toMatchObject([
      {
        type: 'file_search_call',
        status: 'completed',
        queries: [question],
        results: [{ file_id: file.id, filename: 'lamp.txt', text: expect.stringContaining('7 years') }],
      },
      { type: 'message', content: [{ annotations: [{ type: 'file_citation', file_id: file.id }] }] },
    ]);
    const hidden = await ask({ tools, input: question });
    expect(hidden.output[0]).toMatchObject({ type: 'file_search_call', results: null });
    const unsearched = await ask({ tools, input: question, tool_choice: 'none' });
    expect(unsearched.output).toMatchObject([{ type: 'message' }]);
    const missing = [{ type: 'file_search', vector_store_ids: ['vs_none'] }];
    expect(await refused({ tools: missing })).toMatchObject({ status: 404 });
  });
});
