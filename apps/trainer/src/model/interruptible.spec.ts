import { rm } from 'node:fs/promises';
import { CancelledError } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerSequence } from './answer-sequence.js';
import type { BaseModel } from './base-model.js';
import { interruptible } from './interruptible.js';
import { scorerOf } from './policy.js';
import { answerLogProbs } from './scoring.js';
import { tinyModel } from './tiny-model.fixture.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['over', 'out']);
});
afterAll(() => rm(model.folder, { recursive: true }));

/** Minutes of forward passes. */
const many = Array.from({ length: 20_000 }, (): AnswerSequence => ({
  ids: Array.from({ length: 1000 }, (_, i) => i % 200),
  answerStart: 1,
}));

describe('an interruptible runtime', () => {
  it('ends a long scoring pass within seconds of an abort', async () => {
    const stop = new AbortController();
    const scorer = scorerOf({ ...model, runtime: interruptible(model.runtime, stop.signal) }, { kind: 'base' });
    const scoring = answerLogProbs(scorer, many);
    let abortedAt = Infinity;
    setTimeout(() => {
      abortedAt = performance.now();
      stop.abort();
    }, 100);
    await expect(scoring).rejects.toThrow(CancelledError);
    expect(performance.now() - abortedAt).toBeLessThan(2000);
    await scorer.release();
  });
  it('scores as the runtime below it does when nobody aborts', async () => {
    const signal = new AbortController().signal;
    const few = many.slice(0, 2).map(({ ids }) => ({ ids: ids.slice(0, 12), answerStart: 4 }));
    const [plain, wrapped] = [
      scorerOf(model, { kind: 'base' }),
      scorerOf({ ...model, runtime: interruptible(model.runtime, signal) }, { kind: 'base' }),
    ];
    expect(await answerLogProbs(wrapped, few)).toEqual(await answerLogProbs(plain, few));
    await plain.release();
    await wrapped.release();
  });
});
