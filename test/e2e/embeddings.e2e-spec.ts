import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';

const cosine = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe.skipIf(!testModel)(`embeddings (${testModel ? 'by the official client' : noModel})`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());

  const embed = (input: string | string[] | number[] | number[][], rest: object = {}) =>
    gateway.openai.embeddings.create({ model: gateway.model, input, ...rest });

  it('gives vectors of length 1, alike for texts that are alike', async () => {
    const { data, usage, model } = await embed([
      'The red car is fast.',
      'The red car is slow.',
      'List the months of the year.',
    ]);
    expect(model).toBe(gateway.model);
    const [a, b, c] = data.map((one) => one.embedding);
    for (const vector of [a, b, c]) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, c));
    expect(usage.prompt_tokens).toBe(usage.total_tokens);
  });

  it('gives the same numbers as floats, as base64, from tokens, and alone or among others', async () => {
    const text = 'One text.';
    // The client asks for base64 by itself and decodes it.
    const [{ embedding }] = (await embed(text)).data;
    const floats = (await embed(text, { encoding_format: 'float' })).data[0].embedding;
    floats.forEach((value, i) => expect(embedding[i]).toBeCloseTo(value, 6));
    const tokens = gateway.loaded.model.tokenizer.encode(text);
    expect((await embed(tokens)).data[0].embedding).toEqual(embedding);
    expect((await embed(['Another.', text])).data[1].embedding).toEqual(embedding);
  });

  it('shortens to the dimensions asked for', async () => {
    const full = (await embed('x y z')).data[0].embedding;
    const [{ embedding }] = (await embed('x y z', { dimensions: 16 })).data;
    expect(embedding).toHaveLength(16);
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
    expect(embedding[0] / embedding[1]).toBeCloseTo(full[0] / full[1], 4);
  });

  it('refuses what it cannot embed', async () => {
    const refused = (promise: Promise<unknown>, status: number, param: string) =>
      expect(promise).rejects.toMatchObject({ status, param });
    await refused(embed(''), 400, 'input');
    await refused(embed([]), 400, 'input');
    await refused(embed('a '.repeat(5000)), 400, 'input');
    await refused(embed([1e9]), 400, 'input');
    await refused(embed('a', { dimensions: 1e6 }), 400, 'dimensions');
    await refused(embed('a', { model: 'text-embedding-3-small' }), 404, 'model');
  });
});
