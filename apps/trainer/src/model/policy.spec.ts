import { rm } from 'node:fs/promises';
import { collect } from '@attune/engine';
import { createRandom } from '@attune/platform';
import { initialParameters, roundBase } from '@attune/training';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BaseModel, loadEngine } from './base-model.js';
import { type FixedWeights, scorerOf } from './policy.js';
import { answerLogProbs } from './scoring.js';
import { serve } from './served.js';
import { tinyModel } from './tiny-model.fixture.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['ship', 'port', 'sea']);
});
afterAll(() => rm(model.folder, { recursive: true }));

/** Mean distance between log-probs of sampled tokens and what a scorer of the same weights says of them. */
async function distance(served: BaseModel, scored: BaseModel, weights: FixedWeights): Promise<number> {
  const engine = await loadEngine(served, 64);
  const { engine: sampler, release } = await serve(served, engine, weights);
  const scorer = scorerOf(scored, weights);
  try {
    const promptIds = [...model.tokenizer.encode('Which ship?')];
    const request = { id: 'a', promptIds, maxTokens: 40, sampling: { temperature: 1, seed: 3 }, logProbs: true };
    const { tokens, logProbs } = await collect(sampler.generate(request));
    const sequence = { ids: [...promptIds, ...tokens], answerStart: promptIds.length };
    const [again] = await answerLogProbs(scorer, [sequence]);
    return logProbs.reduce((sum, logProb, i) => sum + Math.abs(logProb - again![i]!), 0) / logProbs.length;
  } finally {
    await scorer.release();
    await release();
    await engine.close();
  }
}

it('a full fine-tune beside an 8-bit base is scored as it is sampled', async () => {
  const rounded = { ...model, rounded: roundBase(model.config, model.parameters) };
  const full = { kind: 'full', parameters: initialParameters(model.config, createRandom(6), 0.3) } as const;
  const [inBoth, inOne] = [await distance(rounded, rounded, full), await distance(rounded, model, full)];
  expect(inBoth).toBeLessThan(inOne / 3);
  expect(await distance(rounded, rounded, { kind: 'base' })).toBeLessThan(inOne / 3);
});
