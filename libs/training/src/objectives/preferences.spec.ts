import { describe, expect, it } from 'vitest';
import { adapter, gradientError, pairs, replayed, thumbs, trainStep } from '../../../../test/support/tiny-policy.js';
import { dpo, ipo, kto, type Objective, padSequences, pairBatch, sft, totalWeight } from '../index.js';

const judgedPairs = { pairs: pairBatch(pairs), referenceGaps: [0.4, -1.2] };
const ktoWeights = { beta: 0.1, desirableWeight: 1, undesirableWeight: 1.3 };

describe('through a whole model, the gradient of', () => {
  it.each([
    ['DPO', dpo({ beta: 0.3 })],
    ['cDPO', dpo({ beta: 0.3, labelSmoothing: 0.2 })],
    ['IPO', ipo({ beta: 0.3 })],
  ])('%s agrees with finite differences', async (_, objective) => {
    expect(await gradientError(objective, adapter(5), judgedPairs)).toBeLessThan(5e-3);
  });

  it('KTO agrees with finite differences', async () => {
    expect(await gradientError(kto(ktoWeights), adapter(5), thumbs)).toBeLessThan(5e-3);
  });

  it.each([
    ['DPO', dpo({ beta: 0.3, sftCoef: 0.7 })],
    ['IPO', ipo({ beta: 0.3, sftCoef: 0.7 })],
  ])('%s with supervised terms agrees with finite differences', async (_, objective) => {
    expect(await gradientError(objective, adapter(5), { ...judgedPairs, replayed })).toBeLessThan(5e-3);
  });

  it('KTO with supervised terms agrees with finite differences', async () => {
    const objective = kto({ ...ktoWeights, sftCoef: 0.7 });
    expect(await gradientError(objective, adapter(5), { ...thumbs, replayed })).toBeLessThan(5e-3);
  });
});

describe('supervised terms beside a preference loss', () => {
  it('are the NLL of chosen answers and of what is replayed, on top of the same preference loss', async () => {
    const plain = await lossOf(dpo({ beta: 0.3 }), judgedPairs);
    const chosen = await nll(pairs.map(({ chosen: ids, promptLength }) => mean(ids, promptLength)));
    const tasks = await nll(replayed);
    const both = await lossOf(dpo({ beta: 0.3, sftCoef: 0.7 }), { ...judgedPairs, replayed });
    expect(both).toBeCloseTo(plain + (0.7 * chosen + tasks) / pairs.length, 4);
  });

  it('leave disliked answers out', async () => {
    const liked = await nll([mean(pairs[0]!.chosen, pairs[0]!.promptLength)]);
    const both = await lossOf(kto({ ...ktoWeights, sftCoef: 0.7 }), thumbs);
    expect(both).toBeCloseTo((await lossOf(kto(ktoWeights), thumbs)) + (0.7 * liked) / 2, 4);
  });
});

async function lossOf<Batch>(objective: Objective<Batch>, batch: Batch): Promise<number> {
  const step = await trainStep(objective, adapter(5));
  const { loss } = await step.evaluate([batch]).finally(() => step.release());
  return loss;
}

/** Weights that make the sum over an answer, from `start` on, its mean. */
const mean = (ids: readonly number[], start: number) => ({
  ids,
  weights: ids.map((_, i) => (i < start ? 0 : 1 / (ids.length - start))),
});

/** Σ w · NLL, which sft() divides by Σ w. */
async function nll(sequences: readonly { ids: readonly number[]; weights: readonly number[] }[]): Promise<number> {
  const batch = padSequences(sequences);
  return (await lossOf(sft(), batch)) * totalWeight(batch);
}
