import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { question, useChat } from '../support/chat.js';
import { noModel, testModel } from '../support/gateway.js';

describe.skipIf(!testModel)(
  `fields of chat completions, taken and refused (${testModel ? 'served for real' : noModel})`,
  () => {
    const { gateway, completions, greedy } = useChat();

    it('takes what has no effect here, and answers in the tier that was asked for', async () => {
      const answer = await gateway().openai.chat.completions.create(
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
      const auto = await gateway().openai.chat.completions.create(greedy({ service_tier: 'auto' }));
      expect(auto.service_tier).toBe('default');
      expect((await gateway().openai.chat.completions.create(greedy())).service_tier).toBeUndefined();
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
      const answer = await gateway().openai.chat.completions.create(greedy({ messages, max_tokens: 2 }));
      expect((await completions().get(answer.id)).messages).toEqual([
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi.', name: 'Ursula' },
        { role: 'assistant', content: 'No.' },
        { role: 'user', content: 'Why?' },
      ]);
    });

    it('refuses what does not fit the context, with the numbers', async () => {
      const long = { ...question, content: 'dog '.repeat(5_000) };
      await expect(gateway().openai.chat.completions.create(greedy({ messages: [long] }))).rejects.toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
        param: 'messages',
        message: expect.stringMatching(/\d+ tokens.*context of \d+/),
      });
      await expect(gateway().openai.chat.completions.create(greedy({ max_tokens: 99_999 }))).rejects.toMatchObject({
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
      await expect(gateway().openai.chat.completions.create(request)).rejects.toMatchObject({
        status: 400,
        param: field,
        message: expect.stringContaining('Not supported yet'),
      });
    });

    it('names the field that is wrong', async () => {
      await expect(gateway().openai.chat.completions.create(greedy({ temperature: 9 }))).rejects.toMatchObject({
        status: 400,
        param: 'temperature',
        type: 'invalid_request_error',
      });
      const image = { role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: 'x' } }] };
      await expect(gateway().openai.chat.completions.create(greedy({ messages: [image] }))).rejects.toMatchObject({
        status: 400,
        param: 'messages.0.content.0',
      });
    });

    it.each<[string, object, string]>([
      ['a field there is not', { colour: 'red' }, 'colour'],
      ['one inside a message', { messages: [{ ...question, mood: 'good' }] }, 'messages.0.mood'],
      ['an unknown role', { messages: [{ role: 'wizard', content: 'x' }] }, 'messages.0.role'],
      ['two forms at once', { guided_choice: ['a'], guided_regex: 'b' }, 'guided_choice'],
      ['rivals of nothing', { top_logprobs: 2 }, 'top_logprobs'],
      ['the usage of a stream that is none', { stream_options: { include_usage: true } }, 'stream_options'],
      [
        'more notes than there may be',
        { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])) },
        'metadata',
      ],
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
      await expect(gateway().openai.chat.completions.create(request)).rejects.toMatchObject({ status: 400, param });
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
      const response = await fetch(`${gateway().baseUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway().userKey}`, 'content-type': 'application/json' },
        body: body as BodyInit,
      });
      expect(response.status).toBe(status);
      expect((await response.json()).error).toMatchObject({ type: 'invalid_request_error', code });
    });

    it.each([
      ['GET', '/v1/models/%E0%A4%A', 400, null],
      ['PUT', '/v1/chat/completions?a=b', 404, 'not_found'],
      ['POST', '/v1/images/generations', 404, 'not_found'],
    ])('says at %s %s what is wrong as everywhere else', async (method, address, status, code) => {
      const headers = { authorization: `Bearer ${gateway().userKey}` };
      const response = await fetch(gateway().baseUrl + address, { method, headers });
      expect([response.status, response.headers.get('x-content-type-options')]).toEqual([status, 'nosniff']);
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
      const { error } = await response.json();
      expect(error).toMatchObject({ type: 'invalid_request_error', param: null, code });
      if (status === 404) expect(error.message).toBe(`There is nothing at ${method} ${address.split('?')[0]}.`);
    });
  },
);
