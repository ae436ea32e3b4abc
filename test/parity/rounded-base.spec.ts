import path from 'node:path';
import { readModelFolder } from '@attune/checkpoint';
import { collect, Engine } from '@attune/engine';
import { parameterShapes, parseModelConfig } from '@attune/models';
import { createRuntime } from '@attune/runtime';
import { Tokenizer } from '@attune/tokenizer';
import { type FrozenSet, padSequences, parameter, roundBase, Scorer } from '@attune/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = path.resolve('models/attune-mini');
const PROMPTS = ['Reverse the word: harbour', 'What is 12 + 31?', 'Sort these words: pear apple fig'];
const ANSWER_TOKENS = 40;
/** A step of 1/127 of a row that is rounded the other way, here and there: nothing that rounding itself would notice. */
const FLIPPED_STEPS = 0.01;

describe('the bundled model over 8-bit weights', () => {
  const runtime = createRuntime({ threads: 1 });
  let engine: Engine;
  let answers: { prompt: number[]; tokens: readonly number[]; logProbs: readonly number[] }[];
  beforeAll(async () => {
    engine = await Engine.load({ model: folder, format: 'int8', slots: 2, maxSeq: 256, threads: 1, spinning: false });
    const tokenizer = await Tokenizer.fromFolder(folder);
    answers = [];
    for (const [i, text] of PROMPTS.entries()) {
      const prompt = [...tokenizer.encode(text)];
      const sampling = { temperature: 1, seed: i };
      const request = { id: text, promptIds: prompt, maxTokens: ANSWER_TOKENS, sampling, logProbs: true };
      const { tokens, logProbs } = await collect(engine.generate(request));
      answers.push({ prompt, tokens, logProbs });
    }
  });
  afterAll(() => engine.close());

  /** Mean distance between what the engine said of its tokens and what a training graph over some weights says. */
  async function distance(parametersOf: (base: ReadonlyMap<string, ReturnType<typeof parameter>>) => FrozenSet) {
    const files = await readModelFolder(folder);
    const config = parseModelConfig(files.config);
    const base = new Map(
      [...parameterShapes(config)].map(([name, shape]) => [name, parameter(shape, files.tensor(name).data)]),
    );
    const scorer = new Scorer({ config, parameters: parametersOf(base), runtime, threads: 1 });
    const sequences = answers.map(({ prompt, tokens }) => ({
      ids: [...prompt, ...tokens],
      weights: [...prompt.map(() => 0), ...tokens.map(() => 1)],
    }));
    const scored = await scorer.tokenLogProbs(padSequences(sequences));
    await scorer.release();
    const served = answers.flatMap(({ logProbs }) => logProbs);
    expect(scored.length).toBe(served.length);
    return served.reduce((sum, logProb, i) => sum + Math.abs(logProb - scored[i]!), 0) / served.length;
  }

  it('is trained as it is served in 8 bits, and not as in 32', async () => {
    const config = parseModelConfig((await readModelFolder(folder)).config);
    const [rounded, exact] = [await distance((base) => roundBase(config, base)), await distance((base) => base)];
    expect(rounded).toBeLessThan(FLIPPED_STEPS);
    expect(rounded).toBeLessThan(exact / 3);
  });
});
