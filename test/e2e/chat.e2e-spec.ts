import { CompletionRepository, ConversationRepository } from '@attune/persistence';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const question = { role: 'user' as const, content: 'Once upon a time there was a little dog.' };

describe.skipIf(!testModel)(`chat completions (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  let completions: CompletionRepository;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
    completions = new CompletionRepository(gateway.dataSource);
  });
  afterAll(() => gateway?.close());

  const greedy = (fields: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) => ({
    model: gateway.model,
    messages: [question],
    temperature: 0,
    max_tokens: 12,
    ...fields,
  });

  it('answers the official client, and the row says what happened', async () => {
    const answer = await gateway.openai.chat.completions.create(greedy());
    expect(answer.object).toBe('chat.completion');
    expect(answer.id).toMatch(/^chatcmpl-[0-9a-z]{24}$/);
    expect(answer.system_fingerprint).toMatch(/^fp_[0-9a-f]{16}$/);
    expect(['stop', 'length']).toContain(answer.choices[0].finish_reason);
    expect(answer.usage!.total_tokens).toBe(answer.usage!.prompt_tokens + answer.usage!.completion_tokens);

    const row = await completions.get(answer.id);
    expect(row).toMatchObject({
      status: 'done',
      source: 'chat',
      answer: answer.choices[0].message.content,
      weightsDigest: answer.system_fingerprint,
      stopReason: answer.choices[0].finish_reason,
      promptTokens: answer.usage!.prompt_tokens,
      completionTokens: answer.usage!.completion_tokens,
      messages: [question],
    });
    expect(row.answerTokenIds).toHaveLength(row.completionTokens);
    expect(row.answerLogProbs).toHaveLength(row.completionTokens);
    expect(Math.max(...row.answerLogProbs)).toBeLessThanOrEqual(0);
    expect(row.promptTokenIds).toHaveLength(row.promptTokens);
    expect(row.ttftMs).toBeGreaterThan(0);
    expect(row.totalMs).toBeGreaterThanOrEqual(row.ttftMs!);
  });

  it('streams the same text, in the shapes clients rely on', async () => {
    const whole = await gateway.openai.chat.completions.create(greedy());
    const stream = await gateway.openai.chat.completions.create({
      ...greedy(),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);

    const usageChunk = chunks.pop()!;
    expect(usageChunk.choices).toEqual([]);
    expect(usageChunk.usage).toMatchObject({ ...whole.usage, prompt_tokens_details: expect.any(Object) });
    const last = chunks.at(-1)!;
    expect(last.choices[0]).toMatchObject({ delta: {}, finish_reason: whole.choices[0].finish_reason });
    expect(chunks[0].choices[0].delta).toMatchObject({ role: 'assistant', content: '' });
    expect(chunks.slice(0, -1).every((chunk) => chunk.choices[0].finish_reason === null)).toBe(true);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(new Set(chunks.map((chunk) => chunk.system_fingerprint))).toEqual(new Set([whole.system_fingerprint]));
    const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('');
    expect(text).toBe(whole.choices[0].message.content);
  });

  it('streams under the same headers as every other answer', async () => {
    const request = gateway.openai.chat.completions.create({ ...greedy({ max_tokens: 1 }), stream: true });
    const { response, data } = await request.withResponse();
    for await (const chunk of data) expect(chunk.id).toMatch(/^chatcmpl-/);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toContain('no-transform');
  });

  it('has committed the row before the first token leaves', async () => {
    const stream = await gateway.openai.chat.completions.create({ ...greedy({ max_tokens: 200 }), stream: true });
    let checked = false;
    for await (const chunk of stream) {
      if (checked) continue;
      checked = true;
      expect(['open', 'done']).toContain((await completions.get(chunk.id)).status);
    }
    expect(checked).toBe(true);
  });

  it('gives the same answer for the same seed and tells the seed it drew otherwise', async () => {
    const sampled = { ...greedy({ seed: 7, temperature: 1, max_tokens: 16 }) };
    const [a, b] = await Promise.all([1, 2].map(() => gateway.openai.chat.completions.create(sampled)));
    expect(a.choices[0].message.content).toBe(b.choices[0].message.content);
    const free = await gateway.openai.chat.completions.create(greedy({ temperature: 1 }));
    const { seed } = await completions.get(free.id);
    const again = await gateway.openai.chat.completions.create(greedy({ temperature: 1, seed }));
    expect(again.choices[0].message.content).toBe(free.choices[0].message.content);
  });

  it('stops before a stop string and sends no part of it', async () => {
    const whole = (await gateway.openai.chat.completions.create(greedy({ max_tokens: 24 }))).choices[0].message
      .content!;
    const stop = whole.slice(Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 4);
    const stream = await gateway.openai.chat.completions.create({
      ...greedy({ max_tokens: 24, stop }),
      stream: true,
    });
    let text = '';
    let reason: string | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0].delta.content ?? '';
      reason = chunk.choices[0].finish_reason;
    }
    expect(text).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(reason).toBe('stop');
  });

  it('reports length when max_tokens cut the answer', async () => {
    const answer = await gateway.openai.chat.completions.create(greedy({ max_tokens: 2 }));
    expect(answer.choices[0].finish_reason).toBe('length');
    expect(answer.usage!.completion_tokens).toBe(2);
  });

  it('ends generation when the client leaves, and closes the row as cancelled', async () => {
    const stream = await gateway.openai.chat.completions.create({
      ...greedy({ max_tokens: 400 }),
      stream: true,
    });
    let id = '';
    for await (const chunk of stream) {
      id = chunk.id;
      if (chunk.choices[0].delta.content) break;
    }
    await expect.poll(async () => (await completions.get(id)).status, { timeout: 5_000 }).toBe('cancelled');
    const row = await completions.get(id);
    expect(row.completionTokens).toBeLessThan(400);
    await expect.poll(async () => (await gateway.loaded.engine.stats()).running, { timeout: 5_000 }).toBe(0);
  });

  it('continues a conversation and files other tries under the same turn', async () => {
    const conversation_id = 'conv_mine-1';
    const first = await gateway.openai.chat.completions.create(greedy({ metadata: { conversation_id } }));
    const retry = await gateway.openai.chat.completions.create(greedy({ metadata: { regenerate_of: first.id } }));
    const { body } = await gateway.api(gateway.userKey, 'GET', `/api/conversations/${conversation_id}`);
    expect(body.title).toBe(question.content);
    expect(body.turns.map((turn: { completion_id: string }) => turn.completion_id)).toEqual([first.id, retry.id]);
    expect(body.turns[1].regenerate_of).toBe(first.id);
    expect(body.turns[0].prompt).toBe(question.content);

    const list = await gateway.api(gateway.userKey, 'GET', '/api/conversations');
    expect(list.body.data.map((one: { id: string }) => one.id)).toContain(conversation_id);
    const renamed = await gateway.api(gateway.userKey, 'PATCH', `/api/conversations/${conversation_id}`, {
      title: 'Dogs',
    });
    expect(renamed.body.title).toBe('Dogs');
    expect((await gateway.api(gateway.userKey, 'DELETE', `/api/conversations/${conversation_id}`)).status).toBe(204);
    expect((await gateway.api(gateway.userKey, 'GET', `/api/conversations/${conversation_id}`)).status).toBe(404);
  });

  it('lists the served model, and names it when another is asked for', async () => {
    const models = await gateway.openai.models.list();
    expect(models.data.map((model) => model.id)).toEqual([gateway.model]);
    expect((await gateway.openai.models.retrieve(gateway.model)).object).toBe('model');
    const wrong = gateway.openai.chat.completions.create(greedy({ model: 'gpt-9' }));
    await expect(wrong).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    await expect(wrong).rejects.toThrow(gateway.model);
    expect((await gateway.openai.chat.completions.create(greedy({ model: 'default' }))).model).toBe(gateway.model);
  });

  it('refuses what does not fit the context, with the numbers', async () => {
    const long = { ...question, content: 'dog '.repeat(5_000) };
    await expect(gateway.openai.chat.completions.create(greedy({ messages: [long] }))).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
      message: expect.stringMatching(/\d+ tokens.*context of \d+/),
    });
    await expect(gateway.openai.chat.completions.create(greedy({ max_tokens: 99_999 }))).rejects.toMatchObject({
      status: 400,
      param: 'max_tokens',
    });
  });

  it.each([
    ['audio', { voice: 'alloy', format: 'mp3' }],
    ['modalities', ['text', 'audio']],
    ['web_search_options', {}],
    ['moderation', {}],
  ])('refuses `%s` by name', async (field, value) => {
    const request = { ...greedy(), [field]: value } as OpenAI.ChatCompletionCreateParamsNonStreaming;
    await expect(gateway.openai.chat.completions.create(request)).rejects.toMatchObject({
      status: 400,
      param: field,
      message: expect.stringContaining('Not supported yet'),
    });
  });

  it('names the field that is wrong', async () => {
    await expect(gateway.openai.chat.completions.create(greedy({ temperature: 9 }))).rejects.toMatchObject({
      status: 400,
      param: 'temperature',
      type: 'invalid_request_error',
    });
    const image = { role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: 'x' } }] };
    await expect(gateway.openai.chat.completions.create(greedy({ messages: [image] }))).rejects.toMatchObject({
      status: 400,
      param: 'messages.0.content.0',
    });
  });

  it('takes any number of tries at once, each a row that feedback can name', async () => {
    const answer = await gateway.openai.chat.completions.create(greedy({ n: 3, temperature: 1.5, seed: 5 }));
    const ids = answer.choices.map((choice) => (choice as { completion_id?: string }).completion_id!);
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(ids[0]).toBe(answer.id);
    const rows = await Promise.all(ids.map((id) => completions.get(id)));
    rows.forEach((row, index) => expect(row.answer).toBe(answer.choices[index].message.content));
    expect(new Set(rows.map((row) => row.conversationId)).size).toBe(1);
    expect(new Set(rows.map((row) => row.answer)).size).toBeGreaterThan(1);
    expect(answer.usage!.completion_tokens).toBe(36);
    const body = { type: 'choice', completion_id: ids[1], rejected_completion_id: ids[2] };
    expect(await gateway.api(gateway.userKey, 'POST', '/v1/feedback', body)).toMatchObject({ status: 201 });

    const stream = await gateway.openai.chat.completions.create({
      ...greedy({ n: 3, temperature: 1.5, seed: 5 }),
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ['', '', ''];
    let tokens = 0;
    for await (const chunk of stream) {
      for (const choice of chunk.choices) texts[choice.index] += choice.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect(texts).toEqual(answer.choices.map((choice) => choice.message.content));
    expect(tokens).toBe(36);
  });

  it('tells the likelihood of every token, whose bytes are the text', async () => {
    const asked = greedy({ logprobs: true, top_logprobs: 4 });
    const [choice] = (await gateway.openai.chat.completions.create(asked)).choices;
    const { content } = choice.logprobs!;
    expect(content).toHaveLength(12);
    expect(Buffer.from(content!.flatMap((token) => token.bytes ?? [])).toString()).toBe(choice.message.content);
    for (const token of content!) {
      expect(token.logprob).toBeLessThanOrEqual(0);
      expect(token.top_logprobs).toHaveLength(4);
      // Greedy: the drawn token is the likeliest of its rivals.
      expect(token.top_logprobs[0]).toEqual({ token: token.token, logprob: token.logprob, bytes: token.bytes });
    }
    const streamed: unknown[] = [];
    for await (const chunk of await gateway.openai.chat.completions.create({ ...asked, stream: true })) {
      streamed.push(...(chunk.choices[0].logprobs?.content ?? []));
    }
    expect(streamed).toEqual(content);
    const plain = await gateway.openai.chat.completions.create(greedy());
    expect(plain.choices[0].logprobs).toBeNull();
  });

  it('leans to and away from single tokens', async () => {
    const { tokenizer } = gateway.loaded.model;
    const [id] = tokenizer.encode('dog');
    const only = await gateway.openai.chat.completions.create(greedy({ logit_bias: { [id]: 100 }, max_tokens: 3 }));
    const row = await completions.get(only.id);
    expect(row.answerTokenIds).toEqual([id, id, id]);
    const drawn = (await completions.get((await gateway.openai.chat.completions.create(greedy())).id)).answerTokenIds;
    const without = await gateway.openai.chat.completions.create(greedy({ logit_bias: { [drawn[0]]: -100 } }));
    expect((await completions.get(without.id)).answerTokenIds[0]).not.toBe(drawn[0]);
    await expect(gateway.openai.chat.completions.create(greedy({ logit_bias: { 999999: 1 } }))).rejects.toMatchObject({
      status: 400,
      param: 'logit_bias',
    });
  });

  it.each<[string, object, (text: string) => void]>([
    [
      'a JSON Schema',
      {
        response_format: {
          type: 'json_schema',
          json_schema: {
            name: 'pet',
            strict: true,
            schema: {
              type: 'object',
              properties: { animal: { enum: ['dog', 'cat'] }, tame: { type: 'boolean' } },
              required: ['animal', 'tame'],
              additionalProperties: false,
            },
          },
        },
      },
      (text) => {
        const pet = JSON.parse(text) as { animal: string; tame: boolean };
        expect(['dog', 'cat']).toContain(pet.animal);
        expect(pet.tame).toBeTypeOf('boolean');
      },
    ],
    ['a choice', { guided_choice: ['yes', 'no'] }, (text) => expect(['yes', 'no']).toContain(text)],
    ['a regex', { guided_regex: '[0-9]{3}-[a-f]{2}' }, (text) => expect(text).toMatch(/^[0-9]{3}-[a-f]{2}$/)],
    ['a grammar', { guided_grammar: 'root ::= "ab" | "cd"' }, (text) => expect(['ab', 'cd']).toContain(text)],
    ['vLLM’s newer name', { structured_outputs: { choice: ['red'] } }, (text) => expect(text).toBe('red')],
    [
      'a schema as text',
      { guided_json: '{"type": "integer", "minimum": 10, "maximum": 12}' },
      (text) => expect([10, 11, 12]).toContain(JSON.parse(text)),
    ],
  ])('follows %s', async (_, fields, expectText) => {
    const request = { ...greedy({ max_tokens: 64 }), ...fields };
    const answer = await gateway.openai.chat.completions.create(request);
    expect(answer.choices[0].finish_reason).toBe('stop');
    expectText(answer.choices[0].message.content!);
  });

  it('begins an object where any JSON object will do', async () => {
    const answer = await gateway.openai.chat.completions.create(
      greedy({ response_format: { type: 'json_object' }, max_tokens: 6 }),
    );
    expect(answer.choices[0].message.content).toMatch(/^\s*\{/);
  });

  it('takes what has no effect here, and answers in the tier that was asked for', async () => {
    const answer = await gateway.openai.chat.completions.create(
      greedy({
        service_tier: 'flex',
        reasoning_effort: 'low',
        verbosity: 'low',
        prompt_cache_key: 'a',
        safety_identifier: 'b',
        user: 'c',
        modalities: ['text'],
      }),
    );
    expect(answer.service_tier).toBe('flex');
    const auto = await gateway.openai.chat.completions.create(greedy({ service_tier: 'auto' }));
    expect(auto.service_tier).toBe('default');
    expect((await gateway.openai.chat.completions.create(greedy())).service_tier).toBeUndefined();
  });

  it('reads parts, developers, names and refusals', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'Be ' },
          { type: 'text', text: 'kind.' },
        ],
      },
      { role: 'user', name: 'Ursula', content: [{ type: 'text', text: 'Hi.' }] },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      { role: 'user', content: 'Why?' },
    ];
    const answer = await gateway.openai.chat.completions.create(greedy({ messages, max_tokens: 2 }));
    expect((await completions.get(answer.id)).messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hi.', name: 'Ursula' },
      { role: 'assistant', content: 'No.' },
      { role: 'user', content: 'Why?' },
    ]);
  });

  it.each<[string, object, string]>([
    ['a field there is not', { colour: 'red' }, 'colour'],
    ['one inside a message', { messages: [{ ...question, mood: 'good' }] }, 'messages.0.mood'],
    ['an unknown role', { messages: [{ role: 'wizard', content: 'x' }] }, 'messages.0.role'],
    ['two forms at once', { guided_choice: ['a'], guided_regex: 'b' }, 'guided_choice'],
    ['rivals of nothing', { top_logprobs: 2 }, 'top_logprobs'],
    ['too many rivals', { logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
    ['a regex that is none', { guided_regex: '(' }, 'guided_regex'],
    ['a schema that is none', { guided_json: 'x' }, 'guided_json'],
    ['100,000 stop strings', { stop: Array.from({ length: 100_000 }, String) }, 'stop'],
    ['more choices than there may be', { n: 129 }, 'n'],
    ['more messages than there may be', { messages: Array.from({ length: 2049 }, () => question) }, 'messages'],
    [
      'a schema nothing fits',
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'q' } } } },
      'response_format',
    ],
  ])('refuses by name: %s', async (_, fields, param) => {
    const request = { ...greedy(), ...fields } as OpenAI.ChatCompletionCreateParamsNonStreaming;
    await expect(gateway.openai.chat.completions.create(request)).rejects.toMatchObject({ status: 400, param });
  });

  it.each<[string, string | Uint8Array, number, string | null]>([
    [
      'bad UTF-8',
      Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      400,
      'invalid_utf8',
    ],
    ['a key twice', '{"model":"a","model":"b"}', 400, 'duplicate_key'],
    ['depth', `{"messages":${'['.repeat(500)}${']'.repeat(500)}}`, 400, 'too_deep'],
    ['no JSON', '{"model":', 400, 'invalid_json'],
    ['10 MB', JSON.stringify({ model: 'x'.repeat(10_000_000) }), 413, 'too_large'],
  ])('refuses a body of %s', async (_, body, status, code) => {
    const response = await fetch(`${gateway.baseUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.userKey}`, 'content-type': 'application/json' },
      body: body as BodyInit,
    });
    expect(response.status).toBe(status);
    expect((await response.json()).error).toMatchObject({ type: 'invalid_request_error', code });
  });

  it('answers many at once, each with the answer it gives alone', async () => {
    const questions = Array.from({ length: 8 }, (_, index) => ({
      ...question,
      content: `${question.content} ${index}`,
    }));
    const ask = (one: typeof question) => gateway.openai.chat.completions.create(greedy({ messages: [one] }));
    const alone: (string | null)[] = [];
    for (const one of questions) alone.push((await ask(one)).choices[0].message.content);
    const together = await Promise.all(questions.map(ask));
    expect(together.map((answer) => answer.choices[0].message.content)).toEqual(alone);
  });

  it('goes on after its engine process was killed', async () => {
    const running = gateway.openai.chat.completions
      .create({ ...greedy({ max_tokens: 400 }), stream: true })
      .then(async (stream) => {
        for await (const chunk of stream)
          if (chunk.choices[0]?.delta.content) process.kill(enginePid(gateway), 'SIGKILL');
      });
    await expect(running).rejects.toThrow(/engine/i);
    await expect.poll(() => gateway.loaded.engine.ready, { timeout: 20_000 }).toBe(true);
    expect((await gateway.openai.chat.completions.create(greedy())).choices[0].message.content).not.toBe('');
  });

  it('keeps conversations apart: nobody continues or reads another’s', async () => {
    const mine = await gateway.openai.chat.completions.create(
      greedy({ metadata: { conversation_id: 'conv_private' } }),
    );
    const other = gateway.client(await gateway.createKey('Otto', 'user'));
    const attempts: Record<string, string>[] = [{ conversation_id: 'conv_private' }, { regenerate_of: mine.id }];
    for (const metadata of attempts) {
      await expect(other.chat.completions.create(greedy({ metadata }))).rejects.toMatchObject({ status: 404 });
    }
    const rows = await new ConversationRepository(gateway.dataSource).get(
      'conv_private',
      (await completions.get(mine.id)).userId,
    );
    expect(rows.completions).toHaveLength(1);
  });
});

function enginePid(gateway: TestGateway): number {
  return (gateway.loaded.engine as unknown as { pid: number }).pid;
}
