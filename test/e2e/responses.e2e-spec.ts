import { CompletionRepository } from '@attune/persistence';
import type OpenAI from 'openai';
import type { ResponseStreamParams } from 'openai/lib/responses/ResponseStream';
import { describe, expect, it } from 'vitest';
import { noModel, testModel } from '../support/gateway.js';
import { useResponses, type Create } from '../support/responses.js';

describe.skipIf(!testModel)(`Responses (${testModel ? 'served for real' : noModel})`, () => {
  const { gateway, responses, asked, ask, refused } = useResponses();

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
    const { output_text: __, ...kept } = await responses().retrieve(response.id);
    expect(JSON.parse(JSON.stringify(kept))).toEqual(JSON.parse(JSON.stringify(plain)));
    const row = await new CompletionRepository(gateway().dataSource).get(response.id);
    expect(row.answer).toBe(response.output_text);
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
    const stream = responses().stream(asked() as ResponseStreamParams);
    const deltas: string[] = [];
    stream.on('response.output_text.delta', ({ delta }) => void deltas.push(delta));
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(whole.output_text);
    expect(deltas.join('')).toBe(whole.output_text);
    expect((await responses().retrieve(final.id)).output_text).toBe(whole.output_text);
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

  it('lets go of the oldest turns where that is allowed', async () => {
    const turn = (n: number) => ({ role: 'user' as const, content: `${n} ${'dog '.repeat(300)}` });
    const long = { input: [turn(0), turn(1), turn(2), turn(3), turn(4), { role: 'user' as const, content: 'Now?' }] };
    expect(await refused(long)).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    const response = await ask({ ...long, truncation: 'auto' });
    expect(response.truncation).toBe('auto');
    const { messages } = await new CompletionRepository(gateway().dataSource).get(response.id);
    expect(messages.length).toBeLessThan(6);
    expect(messages.at(-1)!.content).toBe('Now?');
    const hopeless = { input: 'dog '.repeat(5_000), truncation: 'auto' as const };
    expect(await refused(hopeless)).toMatchObject({ code: 'context_length_exceeded' });
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
    await expect(responses().retrieve('resp_none')).rejects.toMatchObject({ status: 404 });
    const answer = await gateway().api(gateway().userKey, 'GET', '/v1/responses/resp_none?colour=red');
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'colour' } } });
  });
});
