import { collect, type GenerateRequest } from '@attune/engine';
import { vocabularyOf } from '@attune/structured';
import { describe, expect, it } from 'vitest';
import { alphabet, END, request, useStructuredEngines } from './structured-engine.js';

const load = useStructuredEngines();

describe('a healed prompt', () => {
  const pieces = alphabet.slice(0, END).map((piece, id) => (id === 20 ? 'ab' : id === 21 ? 'abc' : piece));
  const words = vocabularyOf({ model: { vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])) } });
  const ask = (id: string, promptIds: number[], more: Partial<GenerateRequest> = {}): GenerateRequest => ({
    ...request(id, { type: 'json_object' }),
    structure: undefined,
    promptIds,
    maxTokens: 12,
    healPrompt: true,
    ...more,
  });

  it('has its last token drawn again, as one that begins with its text', async () => {
    const engine = await load({ vocabulary: words });
    const firstOf = async (id: string, favourite: number) => {
      const sampling = { temperature: 0, logitBias: { [favourite]: 100 } };
      const { started, tokens } = await collect(engine.generate(ask(id, [3, 1, 4, 20], { sampling })));
      expect(started).toMatchObject({ healedToken: 20, promptTokens: 3 });
      return tokens[0];
    };
    expect(await firstOf('a', 21)).toBe(21);
    expect(await firstOf('b', 20)).toBe(20);
    expect([20, 21]).toContain(await firstOf('c', 5)); // which does not begin so
  });

  it('is left alone where nothing else begins so, and goes on as it would have', async () => {
    const engine = await load({ vocabulary: words });
    const healed = await collect(engine.generate(ask('a', [3, 1, 21])));
    const plain = await collect(engine.generate(ask('b', [3, 1, 21], { healPrompt: false })));
    expect(healed.started).not.toHaveProperty('healedToken');
    expect(healed.tokens).toEqual(plain.tokens);
  });
});
