import { createRandom } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import {
  adapter,
  config,
  gradientError,
  pairs,
  randomIds,
  scorerOf,
  trainStep,
} from '../../../../test/support/tiny-policy.js';
import { initialRewardHead, pairBatch, parameter, type ParameterSet, rewardBatch, rewardModel } from '../index.js';

/** An adapter and a reward head on it. */
const tuned = (seed: number): ParameterSet =>
  new Map([...adapter(seed), ...initialRewardHead(config, createRandom(seed + 1))]);
const rankings = pairs.map(({ chosen, rejected }) => ({ answers: [chosen, rejected] }));

describe('through a whole model, the gradient of', () => {
  it('the reward model agrees with finite differences', async () => {
    expect(await gradientError(rewardModel(), tuned(2), pairBatch(pairs))).toBeLessThan(5e-3);
  });

  it('a reward model of rankings and thumbs agrees with finite differences', async () => {
    const answers = [randomIds(1, 9), randomIds(2, 6), randomIds(5, 7)];
    const thumb = { ids: randomIds(6, 8), liked: false, weight: 0.5 };
    const objective = rewardModel({ centerCoef: 0.01, thumbCoef: 0.5 });
    const batch = rewardBatch([{ answers, margins: [0.1, 0.2] }], [thumb]);
    expect(await gradientError(objective, tuned(2), batch)).toBeLessThan(5e-3);
  });
});

describe('the reward model', () => {
  it('gives a ranking of two the loss of the pair it is', async () => {
    const step = await trainStep(rewardModel(), tuned(7));
    const plain = pairs.map(({ chosen, rejected, promptLength }) => ({ chosen, rejected, promptLength }));
    const asPairs = await step.evaluate([pairBatch(plain)]);
    const asRankings = await step.evaluate([rewardBatch(rankings)]);
    expect(asRankings.items).toBe(asPairs.items);
    expect(asRankings.loss).toBeCloseTo(asPairs.loss, 5);
    step.release();
  });

  it('measures pairs and thumbs apart: many thumbs dilute no figure of the pairs', async () => {
    const step = await trainStep(rewardModel({ thumbCoef: 1 }), tuned(7));
    const thumbs = pairs.flatMap(({ chosen }) => Array.from({ length: 5 }, () => ({ ids: chosen, liked: true })));
    const { metrics: alone } = await step.evaluate([rewardBatch(rankings)]);
    expect(alone['thumbAccuracy']).toBeUndefined();
    for (const batches of [[rewardBatch(rankings, thumbs)], [rewardBatch(rankings), rewardBatch([], thumbs)]]) {
      const { metrics, items } = await step.evaluate(batches);
      expect(items).toBe(rankings.length + thumbs.length);
      for (const name of ['accuracy', 'margin', 'reward']) expect(metrics[name]).toBeCloseTo(alone[name]!, 5);
      const liked = metrics['thumbAccuracy']! * thumbs.length;
      expect(liked).toBeCloseTo(Math.round(liked), 5);
    }
    const { metrics } = await step.evaluate([rewardBatch([], thumbs)]);
    expect(Object.keys(metrics)).toEqual(['thumbAccuracy']);
    step.release();
  });

  it('learns to rank pairs, and its scorer then ranks them alone', async () => {
    const trainable = tuned(7);
    const step = await trainStep(rewardModel(), trainable, { clipNorm: 1 });
    for (let i = 0; i < 30; i++) await step.run([pairBatch(pairs)], 1e-2);
    const { metrics } = await step.evaluate([pairBatch(pairs)]);
    step.release();
    expect(metrics['accuracy']).toBe(1);
    const scorer = scorerOf(trainable);
    const [c0, r0, c1, r1] = await scorer.rewardScores(
      pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]),
      pairs.flatMap(({ promptLength }) => [promptLength, promptLength]),
    );
    await scorer.release();
    expect(c0).toBeGreaterThan(r0!);
    expect(c1).toBeGreaterThan(r1!);
  });

  it('names the parameter it misses', async () => {
    const withoutHead = trainStep(rewardModel(), new Map([['x', parameter([1])]]));
    await expect(withoutHead).rejects.toThrow('reward_head.weight');
  });
});
