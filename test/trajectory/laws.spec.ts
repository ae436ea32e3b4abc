import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import {
  AdamW,
  captureTraining,
  copyParameters,
  initialAdapter,
  initialParameters,
  packSequences,
  padSequences,
  type ParameterSet,
  restoreTraining,
  Scorer,
  sft,
  TrainStep,
} from '@attune/training';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../parity/fixtures.js';
import { bits, fullStep, randomSequence, randomSequences, runtime, tinyConfig } from './tiny.js';

const fresh = (): ParameterSet => initialParameters(tinyConfig, createRandom(3), 0.15);

describe('a training step', () => {
  it('gives eight accumulated micro-batches the update of one batch of eight', async () => {
    const sequences = randomSequences(4, [5, 9, 12, 7, 20, 4, 15, 8]);
    const [together, apart] = [fresh(), fresh()];
    const [one, eight] = [await fullStep(together), await fullStep(apart)];
    const a = await one.step.run([padSequences(sequences)], 1e-2);
    const b = await eight.step.run(
      sequences.map((sequence) => padSequences([sequence])),
      1e-2,
    );
    expect(Math.abs(a.loss / b.loss - 1)).toBeLessThan(1e-5);
    expect(Math.abs(a.gradNorm / b.gradNorm - 1)).toBeLessThan(1e-5);
    expectMoved(together);
    // Adam's first step is ±lr whatever the gradient, so compare the moments, which keep its size.
    const [x, y] = [one.optimizer.state().arrays, eight.optimizer.state().arrays];
    for (const [name, moment] of x) expect(relativeError(moment, y.get(name)!), name).toBeLessThan(2e-5);
  });

  it('sees no difference between packed and padded sequences', async () => {
    const sequences = randomSequences(5, [10, 6, 8, 4]);
    const [padded, packed] = [fresh(), fresh()];
    const [a, b] = [await fullStep(padded), await fullStep(packed)];
    const packing = packSequences(sequences, 2, 16);
    expect(packing.left).toEqual([]);
    const found = [await a.step.run([padSequences(sequences)], 1e-2), await b.step.run([packing.batch], 1e-2)];
    expect(Math.abs(found[0]!.loss / found[1]!.loss - 1)).toBeLessThan(1e-5);
    const y = b.optimizer.state().arrays;
    for (const [name, moment] of a.optimizer.state().arrays)
      expect(relativeError(moment, y.get(name)!), name).toBeLessThan(2e-5);
  });

  it('gives the same bits twice, on two threads, at a realistic size', async () => {
    const config = parseModelConfig({
      architectures: ['LlamaForCausalLM'],
      vocab_size: 2048,
      hidden_size: 128,
      intermediate_size: 344,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      tie_word_embeddings: true,
    });
    const train = async () => {
      const random = createRandom(8);
      const parameters = initialParameters(config, random);
      const { step } = await fullStep(parameters, config);
      for (let i = 0; i < 3; i++) {
        // A small vocabulary range: many duplicate ids, where an unsafe scatter would lose updates.
        const sequences = Array.from({ length: 32 }, () => randomSequence(random, 64, 50));
        await step.run([packSequences(sequences, 8, 256).batch], 1e-3);
      }
      step.release();
      return bits(parameters);
    };
    expect(await train()).toEqual(await train());
  });

  it('goes on bit for bit from a captured state', async () => {
    const batches = [1, 2, 3, 4, 5, 6].map((seed) => padSequences(randomSequences(seed, [9, 12, 7])));
    const through = fresh();
    const whole = await fullStep(through);
    for (const batch of batches) await whole.step.run([batch], 1e-2);

    const first = fresh();
    const before = await fullStep(first);
    for (const batch of batches.slice(0, 3)) await before.step.run([batch], 1e-2);
    const captured = captureTraining(first, before.optimizer);
    const saved = { ...captured, arrays: new Map([...captured.arrays].map(([key, data]) => [key, data.slice()])) };

    const second = initialParameters(tinyConfig, createRandom(99));
    const after = await fullStep(second);
    restoreTraining(saved, second, after.optimizer);
    for (const batch of batches.slice(3)) await after.step.run([batch], 1e-2);
    expect(bits(second)).toEqual(bits(through));
  });

  it('changes nothing and says so when the loss is not finite', async () => {
    const parameters = fresh();
    const { step } = await fullStep(parameters);
    parameters.get('model.norm.weight')!.data[0] = NaN;
    const before = bits(parameters);
    const result = await step.run([padSequences(randomSequences(1, [9]))], 1e-2);
    expect(result.applied).toBe(false);
    expect(bits(parameters)).toEqual(before);
  });
});

describe('a fresh adapter', () => {
  it('leaves the model as it is, and training it leaves the base as it is', async () => {
    const base = fresh();
    const untouched = bits(base);
    const adapter = initialAdapter(
      tinyConfig,
      { rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'] },
      createRandom(2),
    );
    const batch = padSequences(randomSequences(6, [9, 12, 7]));
    const reference = new Scorer({ config: tinyConfig, parameters: base, runtime });
    const policy = new Scorer({
      config: tinyConfig,
      parameters: new Map([...base, ...adapter]),
      adapterScale: 2,
      runtime,
    });
    const before = await reference.tokenLogProbs(batch);
    expect(relativeError(await policy.tokenLogProbs(batch), before)).toBeLessThan(1e-6);

    const step = await TrainStep.create({
      config: tinyConfig,
      objective: sft(),
      trainable: adapter,
      frozen: base,
      adapterScale: 2,
      optimizer: new AdamW(),
      clipNorm: 1,
      runtime,
    });
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push((await step.run([batch], 2e-2)).loss);
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.8);
    expect(bits(base)).toEqual(untouched);
    // The scorer reads the same arrays: it sees the trained adapter without being told.
    expect(relativeError(await policy.tokenLogProbs(batch), before)).toBeGreaterThan(1e-2);
    expect(await reference.tokenLogProbs(batch)).toEqual(before);
  });
});

function expectMoved(parameters: ParameterSet): void {
  const start = fresh();
  for (const [name, { data }] of copyParameters(parameters))
    expect(relativeError(data, start.get(name)!.data), name).toBeGreaterThan(1e-3);
}
