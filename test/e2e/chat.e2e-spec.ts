import { ConversationRepository } from '@attune/persistence';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { question, useChat } from '../support/chat.js';
import { noModel, testModel, type TestGateway } from '../support/gateway.js';

describe.skipIf(!testModel)(`chat completions (${testModel ? 'served for real' : noModel})`, () => {
  const { gateway, completions, greedy } = useChat();

  it('answers the official client, and the row says what happened', async () => {
    const answer = await gateway().openai.chat.completions.create(greedy());
    expect(answer.object).toBe('chat.completion');
    expect(answer.id).toMatch(/^chatcmpl-[0-9a-z]{24}$/);
    expect(answer.system_fingerprint).toMatch(/^fp_[0-9a-f]{16}$/);
    expect(['stop', 'length']).toContain(answer.choices[0].finish_reason);
    expect(answer.usage!.total_tokens).toBe(answer.usage!.prompt_tokens + answer.usage!.completion_tokens);

    const row = await completions().get(answer.id);
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
    const whole = await gateway().openai.chat.completions.create(greedy());
    const stream = await gateway().openai.chat.completions.create({
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
    const request = gateway().openai.chat.completions.create({ ...greedy({ max_tokens: 1 }), stream: true });
    const { response, data } = await request.withResponse();
    for await (const chunk of data) expect(chunk.id).toMatch(/^chatcmpl-/);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toContain('no-transform');
  });

  it('has committed the row before the first token leaves', async () => {
    const stream = await gateway().openai.chat.completions.create({ ...greedy({ max_tokens: 200 }), stream: true });
    let checked = false;
    for await (const chunk of stream) {
      if (checked) continue;
      checked = true;
      expect(['open', 'done']).toContain((await completions().get(chunk.id)).status);
    }
    expect(checked).toBe(true);
  });

  it('ends generation when the client leaves, and closes the row as cancelled', async () => {
    const stream = await gateway().openai.chat.completions.create({
      ...greedy({ max_tokens: 400 }),
      stream: true,
    });
    let id = '';
    for await (const chunk of stream) {
      id = chunk.id;
      if (chunk.choices[0].delta.content) break;
    }
    await expect.poll(async () => (await completions().get(id)).status, { timeout: 5_000 }).toBe('cancelled');
    const row = await completions().get(id);
    expect(row.completionTokens).toBeLessThan(400);
    await expect.poll(async () => (await gateway().loaded.engine.stats()).running, { timeout: 5_000 }).toBe(0);
  });

  it('takes any number of tries at once, each a row that feedback can name', async () => {
    const answer = await gateway().openai.chat.completions.create(greedy({ n: 3, temperature: 1.5, seed: 5 }));
    const ids = answer.choices.map((choice) => (choice as { completion_id?: string }).completion_id!);
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(ids[0]).toBe(answer.id);
    const rows = await Promise.all(ids.map((id) => completions().get(id)));
    rows.forEach((row, index) => expect(row.answer).toBe(answer.choices[index].message.content));
    expect(new Set(rows.map((row) => row.conversationId)).size).toBe(1);
    expect(new Set(rows.map((row) => row.answer)).size).toBeGreaterThan(1);
    expect(answer.usage!.completion_tokens).toBe(36);
    const body = { type: 'choice', completion_id: ids[1], rejected_completion_id: ids[2] };
    expect(await gateway().api(gateway().userKey, 'POST', '/v1/feedback', body)).toMatchObject({ status: 201 });

    const stream = await gateway().openai.chat.completions.create({
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

  it('answers many at once, each with the answer it gives alone', async () => {
    const questions = Array.from({ length: 8 }, (_, index) => ({
      ...question,
      content: `${question.content} ${index}`,
    }));
    const ask = (one: typeof question) => gateway().openai.chat.completions.create(greedy({ messages: [one] }));
    const alone: (string | null)[] = [];
    for (const one of questions) alone.push((await ask(one)).choices[0].message.content);
    const together = await Promise.all(questions.map(ask));
    expect(together.map((answer) => answer.choices[0].message.content)).toEqual(alone);
  });

  it('goes on after its engine process was killed', async () => {
    const running = gateway()
      .openai.chat.completions.create({ ...greedy({ max_tokens: 400 }), stream: true })
      .then(async (stream) => {
        for await (const chunk of stream)
          if (chunk.choices[0]?.delta.content) process.kill(enginePid(gateway()), 'SIGKILL');
      });
    await expect(running).rejects.toThrow(/engine/i);
    await expect.poll(() => gateway().loaded.engine.ready, { timeout: 20_000 }).toBe(true);
    expect((await gateway().openai.chat.completions.create(greedy())).choices[0].message.content).not.toBe('');
  });

  it('lists the served model, and names it when another is asked for', async () => {
    const models = await gateway().openai.models.list();
    expect(models.data.map((model) => model.id)).toEqual([gateway().model]);
    expect((await gateway().openai.models.retrieve(gateway().model)).object).toBe('model');
    const wrong = gateway().openai.chat.completions.create(greedy({ model: 'gpt-9' }));
    await expect(wrong).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    await expect(wrong).rejects.toThrow(gateway().model);
    expect((await gateway().openai.chat.completions.create(greedy({ model: 'default' }))).model).toBe(gateway().model);
  });

  it('continues a conversation and files other tries under the same turn', async () => {
    const conversation_id = 'conv_mine-1';
    const first = await gateway().openai.chat.completions.create(greedy({ metadata: { conversation_id } }));
    const retry = await gateway().openai.chat.completions.create(greedy({ metadata: { regenerate_of: first.id } }));
    const { body } = await gateway().api(gateway().userKey, 'GET', `/api/conversations/${conversation_id}`);
    expect(body.title).toBe(question.content);
    expect(body.turns.map((turn: { completion_id: string }) => turn.completion_id)).toEqual([first.id, retry.id]);
    expect(body.turns[1].regenerate_of).toBe(first.id);
    expect(body.turns[0].prompt).toBe(question.content);

    const list = await gateway().api(gateway().userKey, 'GET', '/api/conversations');
    expect(list.body.data.map((one: { id: string }) => one.id)).toContain(conversation_id);
    const renamed = await gateway().api(gateway().userKey, 'PATCH', `/api/conversations/${conversation_id}`, {
      title: 'Dogs',
    });
    expect(renamed.body.title).toBe('Dogs');
    expect((await gateway().api(gateway().userKey, 'DELETE', `/api/conversations/${conversation_id}`)).status).toBe(
      204,
    );
    expect((await gateway().api(gateway().userKey, 'GET', `/api/conversations/${conversation_id}`)).status).toBe(404);
  });

  it('keeps conversations apart: nobody continues or reads another’s', async () => {
    const mine = await gateway().openai.chat.completions.create(
      greedy({ metadata: { conversation_id: 'conv_private' } }),
    );
    const other = gateway().client(await gateway().createKey('Otto', 'user'));
    const attempts: Record<string, string>[] = [{ conversation_id: 'conv_private' }, { regenerate_of: mine.id }];
    for (const metadata of attempts) {
      await expect(other.chat.completions.create(greedy({ metadata }))).rejects.toMatchObject({ status: 404 });
    }
    const rows = await new ConversationRepository(gateway().dataSource).get(
      'conv_private',
      (await completions().get(mine.id)).userId,
    );
    expect(rows.completions).toHaveLength(1);
  });
});

function enginePid(gateway: TestGateway): number {
  return (gateway.loaded.engine as unknown as { pid: number }).pid;
}
