import { CompletionRepository } from '@attune/persistence';
import { toFile, type default as OpenAI } from 'openai';
import type { ResponseStreamParams } from 'openai/lib/responses/ResponseStream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const input = 'Once upon a time there was a little dog.';
type Create = OpenAI.Responses.ResponseCreateParamsNonStreaming;

describe.skipIf(!testModel)(`Responses (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  let responses: OpenAI['responses'];
  beforeAll(async () => {
    gateway = await startTestGateway();
    responses = gateway.openai.responses;
  });
  afterAll(() => gateway?.close());

  const asked = (fields: Partial<Create> = {}): Create => ({
    model: gateway.model,
    input,
    temperature: 0,
    max_output_tokens: 8,
    ...fields,
  });
  const ask = (fields: Partial<Create> = {}) => responses.create(asked(fields));
  const refused = (fields: object) =>
    ask(fields).then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );

  it('tells what was asked and what came of it, and keeps it', async () => {
    const response = await ask({
      instructions: 'Be brief.',
      metadata: { a: 'b' },
      top_p: 0.5,
      safety_identifier: 'someone',
      prompt_cache_key: 'k',
    });
    expect(response).toMatchObject({
      object: 'response',
      instructions: 'Be brief.',
      metadata: { a: 'b' },
      top_p: 0.5,
      max_output_tokens: 8,
      store: true,
      background: false,
      error: null,
      safety_identifier: 'someone',
      prompt_cache_key: 'k',
      truncation: 'disabled',
      text: { format: { type: 'text' } },
    });
    expect(['completed', 'incomplete']).toContain(response.status);
    expect(response.usage!.total_tokens).toBe(response.usage!.input_tokens + response.usage!.output_tokens);
    const { output_text: _, ...plain } = response;
    const { output_text: __, ...kept } = await responses.retrieve(response.id);
    expect(JSON.parse(JSON.stringify(kept))).toEqual(JSON.parse(JSON.stringify(plain)));
    const row = await new CompletionRepository(gateway.dataSource).get(response.id);
    expect(row.answer).toBe(response.output_text);
  });

  it('goes on from a response, and shows what the model was shown', async () => {
    const first = await ask({ instructions: 'Be brief.' });
    const second = await ask({ previous_response_id: first.id, input: [{ role: 'user', content: 'And then?' }] });
    const { messages } = await new CompletionRepository(gateway.dataSource).get(second.id);
    expect(messages).toEqual([
      { role: 'user', content: input },
      { role: 'assistant', content: first.output_text },
      { role: 'user', content: 'And then?' },
    ]);
    const items = [];
    for await (const item of responses.inputItems.list(second.id, { order: 'asc', limit: 2 })) items.push(item);
    expect(items).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] },
      { id: first.output[0]!.id, role: 'assistant', content: [{ type: 'output_text', text: first.output_text }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And then?' }] },
    ]);
    const latest = await responses.inputItems.list(second.id, { limit: 1 });
    expect(latest).toMatchObject({ has_more: true, data: [{ content: [{ text: 'And then?' }] }] });
  });

  it('takes items back by reference', async () => {
    const first = await ask();
    const reference = { type: 'item_reference' as const, id: first.output[0]!.id! };
    const second = await ask({
      input: [{ role: 'user', content: input }, reference, { role: 'user', content: 'On.' }],
    });
    const { messages } = await new CompletionRepository(gateway.dataSource).get(second.id);
    expect(messages[1]).toEqual({ role: 'assistant', content: first.output_text });
    expect(await refused({ input: [{ type: 'item_reference', id: 'msg_none' }] })).toMatchObject({
      status: 400,
      param: 'input.0.id',
    });
  });

  it('forgets a response, but not what later ones say of it', async () => {
    const first = await ask();
    const second = await ask({ previous_response_id: first.id, input: 'And then?' });
    await responses.delete(first.id);
    await expect(responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 });
    await expect(responses.delete(first.id)).rejects.toMatchObject({ status: 404 });
    expect(await refused({ previous_response_id: first.id })).toMatchObject({ code: 'previous_response_not_found' });
    const third = await ask({ previous_response_id: second.id, input: 'And now?' });
    const { messages } = await new CompletionRepository(gateway.dataSource).get(third.id);
    expect(messages).toHaveLength(5);
  });

  it('keeps nothing that is not to be stored', async () => {
    const response = await ask({ store: false });
    expect(response).toMatchObject({ store: false });
    await expect(responses.retrieve(response.id)).rejects.toMatchObject({ status: 404 });
    expect(await refused({ previous_response_id: response.id })).toMatchObject({ status: 400 });
  });

  it('shows nobody the responses of others', async () => {
    const response = await ask();
    const { responses: theirs } = gateway.client(await gateway.createKey('Otto', 'user'));
    for (const call of [
      () => theirs.retrieve(response.id),
      () => theirs.inputItems.list(response.id),
      () => theirs.cancel(response.id),
      () => theirs.delete(response.id),
      () => theirs.retrieve(response.id, { stream: true }),
    ]) {
      await expect(call()).rejects.toMatchObject({ status: 404 });
    }
  });

  it('streams what the whole answer says, and log-probs where they are asked for', async () => {
    const include: Create['include'] = ['message.output_text.logprobs'];
    const whole = await ask({ include, top_logprobs: 2 });
    const part = (whole.output[0] as OpenAI.Responses.ResponseOutputMessage).content[0];
    if (part?.type !== 'output_text') return expect.unreachable();
    expect(
      part
        .logprobs!.map(({ token }) => token)
        .join('')
        .trim(),
    ).toBe(whole.output_text.trim());
    for (const { logprob, top_logprobs } of part.logprobs!) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top_logprobs).toHaveLength(2);
    }
    const stream = responses.stream(asked() as ResponseStreamParams);
    const deltas: string[] = [];
    stream.on('response.output_text.delta', ({ delta }) => void deltas.push(delta));
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(whole.output_text);
    expect(deltas.join('')).toBe(whole.output_text);
    expect((await responses.retrieve(final.id)).output_text).toBe(whole.output_text);
  });

  it('answers in the form that is asked for', async () => {
    const schema = {
      type: 'object',
      properties: { name: { enum: ['Rex', 'Bo'] }, age: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['name', 'age'],
      additionalProperties: false,
    };
    const format = { type: 'json_schema' as const, name: 'dog', schema, strict: true };
    const response = await ask({ text: { format }, max_output_tokens: 100 });
    expect(response.status).toBe('completed');
    expect(JSON.parse(response.output_text)).toEqual({
      name: expect.stringMatching(/^(Rex|Bo)$/),
      age: expect.any(Number),
    });
    expect(response.text!.format).toMatchObject({ type: 'json_schema', name: 'dog', schema });
    const wrong = { ...format, schema: { type: 'strang' } };
    expect(await refused({ text: { format: wrong } })).toMatchObject({ status: 400, param: 'text.format' });
  });

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
    const stream = responses.stream(
      asked({ ...fields, input: 'What is the weather in Rome?' }) as ResponseStreamParams,
    );
    for await (const event of stream) types.push(event.type);
    expect(types).toContain('response.function_call_arguments.delta');
    expect(types).toContain('response.function_call_arguments.done');

    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' };
    const second = await ask({ previous_response_id: first.id, input: [output], max_output_tokens: 8 });
    expect(second.output[0]).toMatchObject({ type: 'message' });
    const { messages } = await new CompletionRepository(gateway.dataSource).get(second.id);
    expect(messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: call.call_id, function: { name: 'weather' } }] },
      { role: 'tool', content: 'sunny', tool_call_id: call.call_id, name: 'weather' },
    ]);
    expect(await refused({ input: [{ ...output, call_id: 'call_none' }] })).toMatchObject({
      code: 'function_call_not_found',
    });
  });

  it('lets go of the oldest turns where that is allowed', async () => {
    const turn = (n: number) => ({ role: 'user' as const, content: `${n} ${'dog '.repeat(300)}` });
    const long = { input: [turn(0), turn(1), turn(2), turn(3), turn(4), { role: 'user' as const, content: 'Now?' }] };
    expect(await refused(long)).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    const response = await ask({ ...long, truncation: 'auto' });
    expect(response.truncation).toBe('auto');
    const { messages } = await new CompletionRepository(gateway.dataSource).get(response.id);
    expect(messages.length).toBeLessThan(6);
    expect(messages.at(-1)!.content).toBe('Now?');
    const hopeless = { input: 'dog '.repeat(5_000), truncation: 'auto' as const };
    expect(await refused(hopeless)).toMatchObject({ code: 'context_length_exceeded' });
  });

  it('runs in the background', async () => {
    const queued = await ask({ background: true });
    expect(queued).toMatchObject({ status: 'queued', background: true, output: [] });
    await expect
      .poll(async () => (await responses.retrieve(queued.id)).status, { timeout: 20_000 })
      .toMatch(/completed|incomplete/);
    expect((await responses.retrieve(queued.id)).output_text).toBe((await ask()).output_text);
    expect(await refused({ background: true, store: false })).toMatchObject({ status: 400, param: 'store' });
  });

  it('answers once, however often the same request comes with the same key', async () => {
    const headers = { 'Idempotency-Key': 'one' };
    const first = await responses.create(asked({ temperature: 1 }), { headers });
    const again = await responses.create(asked({ temperature: 1 }), { headers });
    expect(again.id).toBe(first.id);
    expect(again.output_text).toBe(first.output_text);
    await expect(responses.create(asked({ temperature: 0.5 }), { headers })).rejects.toMatchObject({
      status: 400,
      code: 'idempotency_key_reused',
    });
    const keyed = { headers: { 'Idempotency-Key': 'two' } };
    const ids = [];
    for (let count = 0; count < 2; count++) {
      for await (const event of await responses.create({ ...asked(), stream: true }, keyed)) {
        if (event.type === 'response.created') ids.push(event.response.id);
      }
    }
    expect(ids).toEqual([ids[0], ids[0]]);
    const both = await Promise.allSettled(
      ['', ''].map(() => responses.create(asked(), { headers: { 'Idempotency-Key': 'three' } })),
    );
    const answered = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []));
    expect(new Set(answered).size).toBe(1);
    for (const one of both) if (one.status === 'rejected') expect(one.reason).toMatchObject({ status: 409 });
  });

  it('answers anew what cannot be told again: what is not stored, and what was deleted', async () => {
    const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });
    const unstored = [];
    for (let count = 0; count < 2; count++) {
      unstored.push((await responses.create(asked({ store: false }), keyed('four'))).id);
    }
    expect(new Set(unstored).size).toBe(2);
    const { id } = await responses.create(asked(), keyed('five'));
    await responses.delete(id);
    expect((await responses.create(asked(), keyed('five'))).id).not.toBe(id);
    await expect(responses.create(asked({ previous_response_id: 'resp_none' }), keyed('six'))).rejects.toThrow();
    await responses.create(asked(), keyed('six'));
  });

  it('replays a stream from any place', async () => {
    const stream = await responses.create({ ...asked(), stream: true, background: true });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ]);
    const { id } = (events[0] as OpenAI.Responses.ResponseCreatedEvent).response;
    const again = [];
    for await (const event of await responses.retrieve(id, { stream: true, starting_after: 4 })) again.push(event);
    expect(again).toEqual(events.slice(5));
    const helped = await responses.stream({ response_id: id, starting_after: 4 }).finalResponse();
    expect(helped.output_text).toBe((await responses.retrieve(id)).output_text);
    const over = [];
    const last = events.at(-1)!.sequence_number;
    for await (const event of await responses.retrieve(id, { stream: true, starting_after: last })) over.push(event);
    expect(over).toEqual([]);
    const unstreamed = await ask();
    await expect(responses.retrieve(unstreamed.id, { stream: true })).rejects.toMatchObject({
      status: 404,
      code: 'stream_not_kept',
    });
  });

  it('answers from files it has searched, and cites them', async () => {
    const { files, vectorStores } = gateway.openai;
    const text = 'The warranty of the Falcon lamp is 7 years.';
    const file = await files.create({ file: await toFile(Buffer.from(text), 'lamp.txt'), purpose: 'assistants' });
    const store = await vectorStores.create({ name: 'Products' });
    await vectorStores.files.createAndPoll(store.id, { file_id: file.id }, { pollIntervalMs: 50 });
    const tools: Create['tools'] = [{ type: 'file_search', vector_store_ids: [store.id], max_num_results: 3 }];
    const question = 'How long is the warranty of the Falcon lamp?';
    const events = [];
    const stream = await responses.create({ ...asked({ tools, input: question }), stream: true });
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

  it('tells webhooks how what ran in the background has ended', async () => {
    const { webhooks } = gateway.client(gateway.adminKey);
    const url = 'http://127.0.0.1:9/nobody-listens';
    const types = ['response.completed', 'response.incomplete'] as const;
    await webhooks.create({ name: 'ends', url, event_types: [...types] });
    const { id } = await ask({ background: true });
    await ask();
    const told = () => gateway.dataSource.query('select type, subject_id from webhook_delivery');
    await expect
      .poll(told, { timeout: 10_000 })
      .toEqual([{ type: expect.stringMatching(/^response/), subject_id: id }]);
  });

  it('names every field it cannot serve', async () => {
    const cases: [object, string][] = [
      [{ colour: 'red' }, 'colour'],
      [{ prompt: { id: 'pmpt_1' } }, 'prompt'],
      [{ tools: [{ type: 'web_search' }] }, 'tools.0.type'],
      [{ tools: [{ type: 'function', name: 'f', parameters: {}, async: true }] }, 'tools.0.async'],
      [{ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }, 'input.0.content.0.type'],
      [{ input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }, 'input.0.type'],
      [{ text: { format: { type: 'grammar' } } }, 'text.format.type'],
      [{ reasoning: { context: 'all' } }, 'reasoning.context'],
      [{ tool_choice: 'required' }, 'tool_choice'],
      [{ tools: [{ type: 'file_search', vector_store_ids: [] }] }, 'tools.0.vector_store_ids'],
      [{ input: [] }, 'input'],
      [{ input: 'dog '.repeat(5_000) }, 'input'],
      [{ max_output_tokens: 1_000_000 }, 'max_output_tokens'],
      [{ conversation: 'conv_none' }, 'conversation'],
    ];
    for (const [fields, param] of cases) expect(await refused(fields)).toMatchObject({ param });
    expect(await refused({ model: 'gpt-9' })).toMatchObject({ status: 404, code: 'model_not_found' });
    await expect(responses.retrieve('resp_none')).rejects.toMatchObject({ status: 404 });
    const answer = await gateway.api(gateway.userKey, 'GET', '/v1/responses/resp_none?colour=red');
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'colour' } } });
  });
});
