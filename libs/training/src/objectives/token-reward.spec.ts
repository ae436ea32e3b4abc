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
import {
  copyParameters,
  initialNgramWeights,
  initialRewardHead,
  pairBatch,
  rewardBatch,
  rewardFormOf,
  rewardModel,
  TOKEN_REWARD_HEAD,
} from '../index.js';

describe('a reward model that reads every token of the answer', () => {
  const answers = [randomIds(1, 9), randomIds(2, 6), randomIds(5, 7)];
  const ranking = { answers, promptLength: 2 };
  const thumb = { ids: randomIds(6, 8), liked: false, promptLength: 3 };
  const summed = initialRewardHead(config, createRandom(3), TOKEN_REWARD_HEAD);
  const heads = {
    'a sum over tokens': () => copyParameters(summed),
    'weights of runs of tokens': () =>
      new Map([...initialRewardHead(config, createRandom(3)), ...initialNgramWeights(config, 3)]),
    both: () => new Map([...copyParameters(summed), ...initialNgramWeights(config, 2)]),
  };

  it.each(Object.entries(heads))('agrees with finite differences: %s', async (_, head) => {
    const trainable = new Map([...adapter(2), ...head()]);
    const objective = rewardModel({ centerCoef: 0.01, thumbCoef: 0.5, form: rewardFormOf(config, trainable) });
    expect(await gradientError(objective, trainable, rewardBatch([ranking], [thumb]))).toBeLessThan(5e-3);
  });

  it.each(Object.entries(heads))('learns, and its scorer sees it in the answers alone: %s', async (_, head) => {
    const trainable = head();
    const step = await trainStep(rewardModel({ form: rewardFormOf(config, trainable) }), trainable);
    for (let i = 0; i < 30; i++) await step.run([rewardBatch([ranking])], 2e-2);
    const { metrics } = await step.evaluate([rewardBatch([ranking])]);
    step.release();
    const scorer = scorerOf(trainable);
    const [best, middle, worst] = await scorer.rewardScores(answers, [2, 2, 2]);
    expect(metrics['accuracy']).toBe(1);
    // The mean over all pairs of (r_c − r_r), as scored apart from the objective.
    expect(metrics['margin']).toBeCloseTo((2 * best! - 2 * worst!) / 3, 4);
    expect(middle).toBeGreaterThan(worst!);
    const [whole] = await scorer.rewardScores([answers[0]!], [0]);
    expect(whole).not.toBeCloseTo(best!, 3);
    await scorer.release();
  });

  it('refuses a batch that does not say what was answered', () => {
    const objective = rewardModel({ form: rewardFormOf(config, heads['a sum over tokens']()) });
    expect(() => objective.feeds(pairBatch(pairs))).toThrow('the batch does not hold them');
  });
});
