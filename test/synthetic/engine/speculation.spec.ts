import { collect, type GenerateRequest } from '@attune/engine';
import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { countingModel, randomAdapter } from './tiny-models.js';
import { useEngines } from './use-engines.js';

const load = useEngines({ slots: 2 });

/** A prompt that says everything twice, so that there is always something to draft. */
function repetitive(seed: number): number[] {
  const random = createRandom(seed);
  const phrase = Array.from({ length: 12 }, () => random.int(64));
  return [...phrase, ...phrase.slice(0, 6), ...phrase, ...phrase.slice(0, 3)];
}

const request = (seed: number, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id: `r${seed}`,
  promptIds: repetitive(seed),
  maxTokens: 60,
  logProbs: true,
  sampling: { temperature: 0 },
  ...more,
});

describe('speculation with fp32 weights', () => {
  it('gives bit for bit the tokens that decoding one by one gives, greedy and sampled, with and without an adapter', async () => {
    const [plain, drafting] = [await load({ speculation: false }), await load()];
    const adapter = randomAdapter(5, undefined, 0.1);
    for (const engine of [plain, drafting]) await engine.loadAdapter(adapter);
    for (let seed = 0; seed < 24; seed++) {
      const sampling = seed % 2 ? { temperature: 0.25, topP: 0.9, seed } : { temperature: 0, presencePenalty: 0.1 };
      const one = request(seed, { sampling, adapter: seed % 3 === 0 ? adapter.digest : null });
      const [want, got] = [await collect(plain.generate(one)), await collect(drafting.generate(one))];
      expect(got.tokens).toEqual(want.tokens);
      got.logProbs.forEach((logProb, i) => expect(logProb).toBeCloseTo(want.logProbs[i]!, 4));
      expect(got.finished).toMatchObject({ reason: 'length', completionTokens: 60 });
    }
    const { draftedTokens, acceptedTokens } = await drafting.stats();
    expect(acceptedTokens).toBeGreaterThan(25);
    expect(draftedTokens).toBeGreaterThan(acceptedTokens);
    expect(await plain.stats()).toMatchObject({ draftedTokens: 0, acceptedTokens: 0 });
  });

  it('takes far fewer steps where the answer says what the prompt said', async () => {
    const engine = await load({ model: countingModel(1) });
    const counting = Array.from({ length: 64 }, (_, i) => (i + 10) % 64);
    const one = request(1, { promptIds: [...counting, 10, 11], maxTokens: 50 });
    const before = (await engine.stats()).steps;
    const { tokens } = await collect(engine.generate(one));
    expect(tokens).toEqual(Array.from({ length: 50 }, (_, i) => (i + 12) % 64));
    expect((await engine.stats()).steps - before).toBeLessThan(10);
  });

  it('ends in the middle of a draft where a stop token is drawn', async () => {
    const engine = await load({ model: countingModel(1) });
    const counting = Array.from({ length: 64 }, (_, i) => (i + 10) % 64);
    const one = request(1, { promptIds: [...counting, 10, 11], maxTokens: 50, stopIds: [17] });
    const { tokens, finished } = await collect(engine.generate(one));
    expect(tokens).toEqual([12, 13, 14, 15, 16]);
    expect(finished).toMatchObject({ reason: 'stop', completionTokens: 5 });
    // What a refused or cut draft left in the slot is never taken for the conversation's own.
    const next = request(2, { promptIds: [...one.promptIds, ...tokens, 17, 30, 31], maxTokens: 5 });
    expect((await collect(engine.generate(next))).tokens).toEqual([32, 33, 34, 35, 36]);
  });

  it('leaves sequences that run together alone', async () => {
    const engine = await load({ model: countingModel(1), gapMs: 10_000 });
    const from = (first: number) => Array.from({ length: 80 }, (_, i) => (i + first) % 64);
    const both = [10, 40].map((first) => request(first, { promptIds: from(first), maxTokens: 20 }));
    const answers = await Promise.all(both.map((one) => collect(engine.generate(one))));
    expect(answers.map(({ tokens }) => tokens.at(-1))).toEqual([(10 + 99) % 64, (40 + 99) % 64]);
    expect(await engine.stats()).toMatchObject({ steps: 20, draftedTokens: 0 });
  });
});
