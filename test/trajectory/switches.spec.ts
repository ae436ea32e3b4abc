import { createRandom } from '@attune/platform';
import {
  AdamW,
  dpo,
  initialParameters,
  pairBatch,
  padSequences,
  sft,
  startTuning,
  type TrainingSwitches,
  TrainStep,
  type TuningForm,
} from '@attune/training';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../parity/fixtures.js';
import { bits, randomSequences, runtime, tinyConfig } from './tiny.js';

const base = initialParameters(tinyConfig, createRandom(3), 0.15);
const FORMS: readonly TuningForm[] = [
  { kind: 'full' },
  { kind: 'lora', rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] },
  { kind: 'bottleneck', size: 3 },
  { kind: 'soft-prompt', numTokens: 4 },
];

/** Parameters and losses after a few steps of SFT. */
async function train(form: TuningForm, switches: TrainingSwitches) {
  const tuned = startTuning(tinyConfig, form, base, createRandom(5));
  const step = await TrainStep.create({
    config: tinyConfig,
    ...tuned,
    objective: sft(),
    optimizer: new AdamW(),
    clipNorm: 1,
    runtime,
    switches,
  });
  const losses: number[] = [];
  for (const seed of [1, 2, 3])
    losses.push((await step.run([padSequences(randomSequences(seed, [9, 12, 7]))], 1e-2)).loss);
  step.release();
  return { losses, trainable: tuned.trainable };
}

describe.each(FORMS)('in $kind tuning', (form) => {
  it('layers computed again change no bit', async () => {
    const [kept, again] = [await train(form, {}), await train(form, { activationCheckpointing: true })];
    expect(again.losses).toEqual(kept.losses);
    expect(bits(again.trainable)).toEqual(bits(kept.trainable));
  });

  it.each([2, 5, 64])('a head in %i parts gives the same gradients but for rounding', async (headChunks) => {
    const [whole, parts] = [await train(form, {}), await train(form, { headChunks })];
    whole.losses.forEach((loss, i) => expect(Math.abs(parts.losses[i]! / loss - 1)).toBeLessThan(1e-5));
    for (const [name, { data }] of whole.trainable)
      expect(relativeError(parts.trainable.get(name)!.data, data), name).toBeLessThan(2e-4);
  });
});

it('both switches together leave a DPO step as it is', async () => {
  const ids = randomSequences(7, [9, 7, 8, 12]).map((sequence) => [...sequence.ids]);
  const pairs = pairBatch([
    { chosen: ids[0]!, rejected: ids[1]!, promptLength: 3 },
    { chosen: ids[2]!, rejected: ids[3]!, promptLength: 2 },
  ]);
  const run = async (switches: TrainingSwitches) => {
    const tuned = startTuning(tinyConfig, FORMS[1]!, base, createRandom(5));
    const options = { config: tinyConfig, ...tuned, objective: dpo({ beta: 0.1 }), optimizer: new AdamW(), runtime };
    const step = await TrainStep.create({ ...options, clipNorm: null, switches });
    const { gradNorm, loss } = await step.run([{ pairs, referenceGaps: [0.5, -0.3] }], 1e-3);
    step.release();
    return [loss, gradNorm];
  };
  const [loss, norm] = await run({});
  const [otherLoss, otherNorm] = await run({ activationCheckpointing: true, headChunks: 3 });
  expect(Math.abs(otherLoss! / loss! - 1)).toBeLessThan(1e-5);
  expect(Math.abs(otherNorm! / norm! - 1)).toBeLessThan(1e-5);
});
