import { rm } from 'node:fs/promises';
import { createRandom } from '@attune/platform';
import { initialNgramWeights, initialRewardHead } from '@attune/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerSequence } from './answer-sequence.js';
import type { BaseModel } from './base-model.js';
import { scorerOver } from './policy.js';
import { sequenceScores } from './scoring.js';
import { tinyModel } from './tiny-model.fixture.js';

let model: BaseModel;
beforeAll(async () => {
  model = await tinyModel(['ship', 'port', 'sea']);
});
afterAll(() => rm(model.folder, { recursive: true }));

describe('scores of sequences', () => {
  it('count the runs of tokens of the answers alone, however long the prompts are', async () => {
    const head = initialRewardHead(model.config, createRandom(1));
    // Only the runs count, so the same answer must have the same score behind every prompt.
    for (const { data } of head.values()) data.fill(0);
    const runs = initialNgramWeights(model.config, 2);
    const random = createRandom(2);
    for (const { data } of runs.values()) data.forEach((_, i) => (data[i] = random.next()));
    const scorer = scorerOver(model, { kind: 'full' }, new Map([...model.parameters, ...head, ...runs]));
    const sequences = ['Sea?', 'Which ship lies in which port of the sea?'].flatMap((content) =>
      ['port', 'a ship'].map((answer) => answerSequence(model.tokenizer, [{ role: 'user', content }], answer)),
    );
    const [port, ship, laterPort, laterShip] = await sequenceScores(scorer, sequences);
    await scorer.release();
    expect(laterPort).toBeCloseTo(port!, 4);
    expect(laterShip).toBeCloseTo(ship!, 4);
    expect(ship).not.toBeCloseTo(port!, 1);
  });
});
