import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { collect, Engine } from '@attune/engine';
import { createRuntime } from '@attune/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = path.resolve('../shared/data/weights/stories260K');
const present = existsSync(folder);
const BOS = 1;

/** The vocabulary's own spelling: enough to read this model's greedy text. */
function textOf(tokens: readonly number[]): string {
  const { model } = JSON.parse(readFileSync(path.join(folder, 'hf/tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  const words = new Map(Object.entries(model.vocab).map(([word, id]) => [id, word]));
  const joined = tokens.map((token) => words.get(token)!).join('');
  return joined
    .replaceAll('▁', ' ')
    .replaceAll(/<0x([0-9A-F]{2})>/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

describe.skipIf(!present)('stories260K (skipped without ../shared/data)', () => {
  let engine: Engine;
  let int8: Engine;
  beforeAll(async () => {
    const model = path.join(folder, 'hf');
    engine = await Engine.load({ model, slots: 8, threads: 1, spinning: false });
    int8 = await Engine.load({ model, slots: 1, threads: 1, spinning: false, format: 'int8' });
  });
  afterAll(async () => {
    await engine?.close();
    await int8?.close();
  });

  const greedy = (id: string, promptIds: number[], maxTokens: number) => ({
    id,
    promptIds,
    maxTokens,
    stopIds: [BOS],
    sampling: { temperature: 0 },
    logProbs: true,
  });

  it('tells exactly the story that greedy decoding from BOS must give', async () => {
    const expected = readFileSync(path.join(folder, 'expected_greedy.txt'), 'utf8').trim();
    const { tokens } = await collect(engine.generate(greedy('story', [BOS], 400)));
    expect(textOf(tokens).trim().slice(0, expected.length)).toBe(expected);
  });

  it('tells the same story through the Node binding', async () => {
    const runtime = createRuntime({ prefer: 'binding', threads: 1 });
    const model = path.join(folder, 'hf');
    const other = await Engine.load({ model, slots: 2, maxSeq: 256, threads: 1, spinning: false, runtime });
    const request = greedy('story', [BOS], 100);
    const want = await collect(engine.generate(request));
    expect((await collect(other.generate(request))).tokens).toEqual(want.tokens);
    await other.close();
  });

  it('gives eight concurrent requests the same greedy tokens as one alone', async () => {
    const story = (await collect(engine.generate(greedy('story', [BOS], 200)))).tokens;
    const prompts = Array.from({ length: 8 }, (_, i) => [BOS, ...story.slice(0, 5 * i)]);
    const alone = [];
    for (const [i, ids] of prompts.entries())
      alone.push((await collect(engine.generate(greedy(`${i}`, ids, 120)))).tokens);
    const together = await Promise.all(prompts.map((ids, i) => collect(engine.generate(greedy(`${i}`, ids, 120)))));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  });

  it('loses little to int8: the same story costs at most 0.02 nats a token more', async () => {
    const story = (await collect(engine.generate(greedy('story', [BOS], 150)))).tokens;
    const cost = async (on: Engine) => {
      let total = 0;
      for (let at = 1; at < story.length; at++) {
        const request = { ...greedy('next', [BOS, ...story.slice(0, at)], 1), topLogProbs: 512 };
        for await (const event of on.generate(request))
          if (event.type === 'token') total -= event.top!.find(({ token }) => token === story[at])!.logProb;
      }
      return total / (story.length - 1);
    };
    expect(Math.abs((await cost(int8)) - (await cost(engine)))).toBeLessThan(0.02);
  });
});
