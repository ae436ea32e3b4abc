import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const prompt = 'Once upon a time there was';

describe.skipIf(!testModel)(`completions (${testModel ? 'served for real' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
  });
  afterAll(() => gateway?.close());

  const complete = (fields: Partial<OpenAI.CompletionCreateParamsNonStreaming> = {}) =>
    gateway.openai.completions.create({ model: gateway.model, prompt, temperature: 0, max_tokens: 8, ...fields });

  it('go on from the prompt as it stands', async () => {
    const answer = await complete();
    expect(answer).toMatchObject({ object: 'text_completion', id: expect.stringMatching(/^cmpl-/) });
    expect(answer.choices).toHaveLength(1);
    expect(answer.choices[0]).toMatchObject({ index: 0, logprobs: null, finish_reason: 'length' });
    expect(answer.choices[0].text).not.toBe('');
    expect(answer.usage).toMatchObject({ completion_tokens: 8 });
    const [row] = await gateway.dataSource.query('select source, prompt_token_ids from completion where id = $1', [
      answer.id,
    ]);
    expect(row.source).toBe('completions');
    // The prompt alone: no template around it.
    expect(row.prompt_token_ids).toEqual(gateway.loaded.model.tokenizer.encode(prompt, { addSpecial: true }));
    const sixteen = await complete({ max_tokens: undefined });
    expect(sixteen.usage!.completion_tokens).toBe(16);
  });

  it('are the same for a text and for its tokens, alone and together', async () => {
    const ids = gateway.loaded.model.tokenizer.encode(prompt, { addSpecial: true });
    const text = (await complete()).choices[0].text;
    expect((await complete({ prompt: ids })).choices[0].text).toBe(text);
    const both = await complete({ prompt: [ids, ids] });
    expect(both.choices.map((choice) => [choice.index, choice.text])).toEqual([
      [0, text],
      [1, text],
    ]);
    expect((await complete({ prompt: [prompt, 'The dog'] })).choices[0].text).toBe(text);
  });

  it('echo the prompt, whole and streamed', async () => {
    const text = (await complete()).choices[0].text;
    expect((await complete({ echo: true })).choices[0].text).toBe(prompt + text);
    const stream = await gateway.openai.completions.create({
      model: gateway.model,
      prompt,
      temperature: 0,
      max_tokens: 8,
      echo: true,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.Completion[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 8 } });
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe(prompt + text);
    expect(chunks.at(-2)!.choices[0].finish_reason).toBe('length');
  });

  it('tell likelihoods in the older shape, in step with the text', async () => {
    const { choices } = await complete({ logprobs: 3 });
    const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs!;
    // Special tokens have a name, but no place in the text.
    const spelled = tokens!.map((token) => (/^<\|.*\|>$/.test(token) ? '' : token));
    expect(spelled.join('')).toBe(choices[0].text);
    expect(token_logprobs).toHaveLength(8);
    expect(top_logprobs!.every((rivals) => Object.keys(rivals).length >= 1)).toBe(true);
    // Greedy: the drawn token is the likeliest.
    top_logprobs!.forEach((rivals, at) =>
      expect(Math.max(...Object.values(rivals))).toBeCloseTo(token_logprobs![at], 5),
    );
    text_offset!.forEach((offset, at) => expect(choices[0].text.slice(offset).startsWith(spelled[at])).toBe(true));
  });

  it('of one prompt differ by their seeds, and each can be named by feedback', async () => {
    const { choices } = await complete({ n: 3, temperature: 1.5, seed: 7, max_tokens: 12 });
    expect(new Set(choices.map((choice) => choice.text)).size).toBeGreaterThan(1);
    const ids = choices.map((choice) => (choice as { completion_id?: string }).completion_id);
    const rows = await gateway.dataSource.query('select id from completion where id = any($1)', [ids]);
    expect(rows).toHaveLength(3);
    const again = await complete({ n: 3, temperature: 1.5, seed: 7, max_tokens: 12 });
    expect(again.choices.map((choice) => choice.text)).toEqual(choices.map((choice) => choice.text));
  });

  it('end at stop strings that lie across tokens', async () => {
    const text = (await complete({ max_tokens: 24 })).choices[0].text;
    const stop = text.slice(7, 12);
    const cut = await complete({ max_tokens: 24, stop });
    expect(cut.choices[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' });
  });

  it('follow a form', async () => {
    const answer = await complete({ guided_choice: ['left', 'right'] } as never);
    expect(['left', 'right']).toContain(answer.choices[0].text);
  });

  it.each<[string, object]>([
    ['suffix', { suffix: 'the end' }],
    ['best_of', { best_of: 3 }],
    ['echo', { echo: true, logprobs: 1 }],
    ['n', { n: 99 }],
    ['prompt', { prompt: [[1_000_000]] }],
    ['prompt', { prompt: 'dog '.repeat(200_000) }],
    ['logit_bias', { logit_bias: { '999999': 1 } }],
    ['nonsense', { nonsense: 1 }],
  ])('refuse `%s` by name', async (param, fields) => {
    await expect(complete(fields)).rejects.toMatchObject({ status: 400, param });
  });
});
