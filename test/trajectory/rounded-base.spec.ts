import { roundedNames, roundedShapes } from '@attune/models';
import { createRandom } from '@attune/platform';
import {
  AdamW,
  captureTraining,
  type FrozenSet,
  initialParameters,
  padSequences,
  parameter,
  type ParameterSet,
  restoreTraining,
  roundBase,
  sft,
  startTuning,
  type TrainingSwitches,
  TrainStep,
  type TuningForm,
} from '@attune/training';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../parity/fixtures.js';
import { bits, randomSequences, runtime, tinyConfig } from './tiny.js';

const LORA: TuningForm = { kind: 'lora', rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] };
const FORMS: readonly TuningForm[] = [LORA, { kind: 'bottleneck', size: 3 }, { kind: 'soft-prompt', numTokens: 4 }];
const base = initialParameters(tinyConfig, createRandom(3), 0.15);
const batches = [1, 2, 3, 4, 5, 6].map((seed) => padSequences(randomSequences(seed, [9, 12, 7])));

/** The rounded weights as ordinary ones: what the 8-bit products would be if only weights were rounded. */
function unrounded(frozen: FrozenSet): ParameterSet {
  const made = new Map(base);
  for (const [name, [out, inner]] of roundedShapes(tinyConfig)) {
    const names = roundedNames(name);
    const [columns, scales] = [frozen.get(names.columns)!.data, frozen.get(names.scales)!.data];
    const values = Float32Array.from({ length: out * inner }, (_, i) => {
      const [row, column] = [Math.floor(i / inner), i % inner];
      return Number(columns[column * out + row]) * Number(scales[row]);
    });
    made.set(name, parameter([out, inner], values));
  }
  return made;
}

async function open(form: TuningForm, frozen: FrozenSet, switches: TrainingSwitches = {}) {
  const { trainable, adapterScale } = startTuning(tinyConfig, form, base, createRandom(5));
  const optimizer = new AdamW();
  const model = { config: tinyConfig, trainable, frozen, adapterScale, switches };
  const step = await TrainStep.create({ ...model, objective: sft(), optimizer, clipNorm: 1, runtime });
  return { step, trainable, optimizer };
}

async function train(form: TuningForm, frozen: FrozenSet, switches: TrainingSwitches = {}, steps = batches.length) {
  const { step, trainable, optimizer } = await open(form, frozen, switches);
  const losses: number[] = [];
  for (const batch of batches.slice(0, steps)) losses.push((await step.run([batch], 1e-2)).loss);
  step.release();
  return { losses, trainable, moments: optimizer.state().arrays };
}

describe('over a base rounded to 8 bits', () => {
  it('every matrix but the head is in memory in 8 bits alone', () => {
    const frozen = roundBase(tinyConfig, base);
    const fp32 = [...frozen].filter(([, { dtype, shape }]) => dtype === 'float32' && shape.length > 1);
    expect(fp32.map(([name]) => name)).toEqual(['embedding.int8.scales', 'model.embed_tokens.weight']);
  });

  it.each(FORMS)('$kind sees the gradients of the rounded weights', async (form) => {
    const rounded = roundBase(tinyConfig, base);
    const [found, want] = [await train(form, rounded, {}, 1), await train(form, unrounded(rounded), {}, 1)];
    expect(Math.abs(found.losses[0]! / want.losses[0]! - 1)).toBeLessThan(0.005);
    for (const [name, moment] of want.moments)
      if (name.endsWith('/first')) expect(relativeError(found.moments.get(name)!, moment), name).toBeLessThan(0.1);
  });

  it.each(FORMS)('$kind gives the same bits for the same seed, layers computed again or not', async (form) => {
    const rounded = roundBase(tinyConfig, base);
    const [one, two] = [await train(form, rounded), await train(form, roundBase(tinyConfig, base))];
    expect(bits(two.trainable)).toEqual(bits(one.trainable));
    const again = await train(form, rounded, { activationCheckpointing: true });
    expect(bits(again.trainable)).toEqual(bits(one.trainable));
  });

  it('goes on bit for bit from a captured state', async () => {
    const rounded = roundBase(tinyConfig, base);
    const through = await train(LORA, rounded);
    const before = await open(LORA, rounded);
    for (const batch of batches.slice(0, 3)) await before.step.run([batch], 1e-2);
    const captured = captureTraining(before.trainable, before.optimizer);
    const saved = { ...captured, arrays: new Map([...captured.arrays].map(([key, data]) => [key, data.slice()])) };
    const after = await open(LORA, rounded);
    restoreTraining(saved, after.trainable, after.optimizer);
    for (const batch of batches.slice(3)) await after.step.run([batch], 1e-2);
    expect(bits(after.trainable)).toEqual(bits(through.trainable));
  });
});
