import { createRandom } from '@attune/platform';
import {
  AdamW,
  captureTraining,
  initialParameters,
  padSequences,
  restoreTraining,
  sft,
  startTuning,
  TrainStep,
  type TuningForm,
} from '@attune/training';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../parity/fixtures.js';
import { bits, randomSequences, runtime, tinyConfig } from './tiny.js';

const base = initialParameters(tinyConfig, createRandom(3), 0.15);
const FORMS: readonly TuningForm[] = [
  { kind: 'lora', rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] },
  { kind: 'bottleneck', size: 3 },
  { kind: 'soft-prompt', numTokens: 4 },
];
const batches = [1, 2, 3, 4].map((seed) => padSequences(randomSequences(seed, [9, 12, 7])));

async function begin(form: TuningForm, seed = 5) {
  const tuned = startTuning(tinyConfig, form, base, createRandom(seed));
  const optimizer = new AdamW();
  const step = await TrainStep.create({
    config: tinyConfig,
    ...tuned,
    objective: sft(),
    optimizer,
    clipNorm: 1,
    runtime,
  });
  return { step, optimizer, trainable: tuned.trainable };
}

describe.each(FORMS)('$kind tuning', (form) => {
  it('gives the same bits from the same seed, and goes on bit for bit from a captured state', async () => {
    const whole = await begin(form);
    for (const batch of batches) await whole.step.run([batch], 1e-2);

    const first = await begin(form);
    for (const batch of batches.slice(0, 2)) await first.step.run([batch], 1e-2);
    const { arrays, optimizerStep } = captureTraining(first.trainable, first.optimizer);
    const saved = { optimizerStep, arrays: new Map([...arrays].map(([key, data]) => [key, data.slice()])) };

    const second = await begin(form, 99);
    restoreTraining(saved, second.trainable, second.optimizer);
    for (const batch of batches.slice(2)) await second.step.run([batch], 1e-2);
    expect(bits(second.trainable)).toEqual(bits(whole.trainable));
    for (const { step } of [whole, first, second]) step.release();
  });

  it('gives accumulated micro-batches the update of one batch', async () => {
    const sequences = randomSequences(6, [5, 9, 12, 7]);
    const [together, apart] = [await begin(form), await begin(form)];
    const one = await together.step.run([padSequences(sequences)], 1e-2);
    const four = await apart.step.run(
      sequences.map((sequence) => padSequences([sequence])),
      1e-2,
    );
    expect(Math.abs(one.loss / four.loss - 1)).toBeLessThan(1e-5);
    expect(Math.abs(one.gradNorm / four.gradNorm - 1)).toBeLessThan(1e-5);
    const moments = apart.optimizer.state().arrays;
    for (const [name, moment] of together.optimizer.state().arrays)
      expect(relativeError(moment, moments.get(name)!), name).toBeLessThan(2e-5);
    for (const { step } of [together, apart]) step.release();
  });
});
