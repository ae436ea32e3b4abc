import { describe, expect, it } from 'vitest';
import { useChat } from '../support/chat.js';
import { noModel, testModel } from '../support/gateway.js';

describe.skipIf(!testModel)(
  `how answers of chat completions are drawn, and what they must look like (${testModel ? 'served for real' : noModel})`,
  () => {
    const { gateway, completions, greedy } = useChat();

    it('gives the same answer for the same seed and tells the seed it drew otherwise', async () => {
      const sampled = { ...greedy({ seed: 7, temperature: 1, max_tokens: 16 }) };
      const [a, b] = await Promise.all([1, 2].map(() => gateway().openai.chat.completions.create(sampled)));
      expect(a.choices[0].message.content).toBe(b.choices[0].message.content);
      const free = await gateway().openai.chat.completions.create(greedy({ temperature: 1 }));
      const { seed } = await completions().get(free.id);
      const again = await gateway().openai.chat.completions.create(greedy({ temperature: 1, seed }));
      expect(again.choices[0].message.content).toBe(free.choices[0].message.content);
    });

    it('stops before a stop string and sends no part of it', async () => {
      const whole = (await gateway().openai.chat.completions.create(greedy({ max_tokens: 24 }))).choices[0].message
        .content!;
      const stop = whole.slice(Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 4);
      const stream = await gateway().openai.chat.completions.create({
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
      const answer = await gateway().openai.chat.completions.create(greedy({ max_tokens: 2 }));
      expect(answer.choices[0].finish_reason).toBe('length');
      expect(answer.usage!.completion_tokens).toBe(2);
    });

    it('tells the likelihood of every token, whose bytes are the text', async () => {
      const asked = greedy({ logprobs: true, top_logprobs: 4 });
      const [choice] = (await gateway().openai.chat.completions.create(asked)).choices;
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
      for await (const chunk of await gateway().openai.chat.completions.create({ ...asked, stream: true })) {
        streamed.push(...(chunk.choices[0].logprobs?.content ?? []));
      }
      expect(streamed).toEqual(content);
      const plain = await gateway().openai.chat.completions.create(greedy());
      expect(plain.choices[0].logprobs).toBeNull();
    });

    it('leans to and away from single tokens', async () => {
      const { tokenizer } = gateway().loaded.model;
      const [id] = tokenizer.encode('dog');
      const only = await gateway().openai.chat.completions.create(greedy({ logit_bias: { [id]: 100 }, max_tokens: 3 }));
      const row = await completions().get(only.id);
      expect(row.answerTokenIds).toEqual([id, id, id]);
      const drawn = (await completions().get((await gateway().openai.chat.completions.create(greedy())).id))
        .answerTokenIds;
      const without = await gateway().openai.chat.completions.create(greedy({ logit_bias: { [drawn[0]]: -100 } }));
      expect((await completions().get(without.id)).answerTokenIds[0]).not.toBe(drawn[0]);
      await expect(
        gateway().openai.chat.completions.create(greedy({ logit_bias: { 999999: 1 } })),
      ).rejects.toMatchObject({
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
      const answer = await gateway().openai.chat.completions.create(request);
      expect(answer.choices[0].finish_reason).toBe('stop');
      expectText(answer.choices[0].message.content!);
    });

    it('begins an object where any JSON object will do', async () => {
      const answer = await gateway().openai.chat.completions.create(
        greedy({ response_format: { type: 'json_object' }, max_tokens: 6 }),
      );
      expect(answer.choices[0].message.content).toMatch(/^\s*\{/);
    });
  },
);
