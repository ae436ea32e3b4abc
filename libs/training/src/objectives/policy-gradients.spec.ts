import { describe, expect, it } from 'vitest';
import {
  adapter,
  config,
  gradientError,
  noisyRollouts,
  randomIds,
  scorerOf,
  trainStep,
} from '../../../../test/support/tiny-policy.js';
import { groupBatch, grpo, initialValueHead, ppo, ppoBatch, rloo } from '../index.js';

describe('through a whole model, the gradient of', () => {
  it('PPO with value, KL and ptx terms agrees with finite differences', async () => {
    const policy = adapter(4);
    const head = initialValueHead(config);
    head.get('value_head.weight')!.data.fill(0.1);
    const ptx = [{ ids: randomIds(30, 8), weights: [0, 0, 1, 1, 0.5, 1, 1, 1] }];
    const batch = ppoBatch(await noisyRollouts(policy), ptx);
    const objective = ppo({ clipRange: 0.2, valueClipRange: 0.2, valueCoef: 0.5, klCoef: 0.1, ptxCoef: 0.7 });
    expect(await gradientError(objective, new Map([...policy, ...head]), batch)).toBeLessThan(2e-2);
  });

  it.each([
    ['GRPO', grpo({ clipRange: 0.2, klCoef: 0.1 })],
    // Whole answers as one action: their ratios are far outside a clip of 0.2.
    ['RLOO', rloo({ clipRange: 50 })],
  ])('%s agrees with finite differences', async (_, objective) => {
    const policy = adapter(4);
    const made = await noisyRollouts(policy);
    const batch = groupBatch(made.map((rollout, i) => ({ ...rollout, advantage: i === 0 ? 0.8 : -0.8 })));
    expect(await gradientError(objective, policy, batch)).toBeLessThan(2e-2);
  });
});

describe('PPO', () => {
  it('starts with ratio 1 and no clipping when the rollout’s log-probs are the policy’s own', async () => {
    const policy = adapter(9);
    const made = await noisyRollouts(policy);
    const scorer = scorerOf(policy);
    const own = await scorer.tokenLogProbs(ppoBatch(made).tokens);
    await scorer.release();
    const exact = made.map((rollout, i) => ({ ...rollout, oldLogProbs: own.slice(i * 5, i * 5 + (i === 0 ? 5 : 7)) }));
    const objective = ppo({ clipRange: 0.2, valueClipRange: 0.2, valueCoef: 0.1, ptxCoef: 0 });
    const step = await trainStep(objective, new Map([...policy, ...initialValueHead(config)]), { clipNorm: 1 });
    const first = await step.run([ppoBatch(exact)], 1e-2);
    expect(first.metrics['ratio']).toBeCloseTo(1, 5);
    expect(first.metrics['clipFraction']).toBe(0);
    expect(first.metrics['approxKl']).toBeCloseTo(0, 5);
    const second = await step.evaluate([ppoBatch(exact)]);
    expect(second.metrics['policyLoss']).toBeLessThan(first.metrics['policyLoss']!);
    step.release();
  });
});
