import { fileURLToPath } from 'node:url';
import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import {
  AdamW,
  copyParameters,
  DeviceMemory,
  DeviceTrainStep,
  dpo,
  initialAdapter,
  initialParameters,
  type Objective,
  padSequences,
  pairBatch,
  type ParameterSet,
  sft,
  TrainStep,
} from '@attune/training';
import { beforeAll, expect, it } from 'vitest';
import { describeOnSwiftShader } from '../../support/swiftshader.js';
import { relativeError } from '../../parity/fixtures.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 61,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
});
const runtime = createRuntime({ prefer: 'capi', threads: 1 });
const fresh = (): ParameterSet => initialParameters(config, createRandom(3), 0.15);
const shared = { config, clipNorm: 1, runtime };
const adamW = () => new AdamW({ weightDecay: 0.1 });
/** The two providers add up in different orders. */
const TOLERANCE = 2e-5;

/** The steps' micro-batches: sequences of random tokens. */
function textBatches(steps: number) {
  const random = createRandom(9);
  const sequence = (length: number) => ({
    ids: Array.from({ length }, () => random.int(config.vocabSize)),
    weights: Array.from({ length }, (_, i) => (i < 3 ? 0 : 0.5 + random.next())),
  });
  return Array.from({ length: steps }, () => [padSequences([sequence(9), sequence(6)]), padSequences([sequence(12)])]);
}

function expectAlike(want: ReadonlyMap<string, { data: Float32Array }>, got: ParameterSet) {
  for (const [name, { data }] of want) expect(relativeError(data, got.get(name)!.data), name).toBeLessThan(TOLERANCE);
}

describeOnSwiftShader('training on WebGPU', fileURLToPath(import.meta.url), () => {
  let memory: DeviceMemory;
  beforeAll(async () => {
    memory = new DeviceMemory(await runtime.openDevice('webgpu'));
  });

  /** Trains the same way here and there, and compares everything after every step. */
  async function expectSameRun<B>(objective: Objective<B>, batches: B[][], start: () => ParameterSet, more: object) {
    const [here, there] = [start(), start()];
    const [optimizer, mirrored] = [adamW(), adamW()];
    const onCpu = await TrainStep.create({ ...shared, ...more, objective, trainable: here, optimizer });
    const options = { ...shared, ...more, objective, trainable: there, optimizer: mirrored, memory };
    const onDevice = await DeviceTrainStep.create(options);
    for (const batch of batches) {
      const [want, got] = [await onCpu.run(batch, 1e-2), await onDevice.run(batch, 1e-2)];
      expect(got.applied).toBe(true);
      expect(got.loss / want.loss).toBeCloseTo(1, 4);
      expect(got.gradNorm / want.gradNorm).toBeCloseTo(1, 4);
      for (const [name, value] of Object.entries(want.metrics)) expect(got.metrics[name]).toBeCloseTo(value, 4);
    }
    await onDevice.fetch();
    const { step, arrays } = mirrored.state();
    expectAlike(here, there);
    const state = optimizer.state();
    expect(step).toBe(state.step);
    for (const [name, moment] of state.arrays)
      expect(relativeError(moment, arrays.get(name)!), name).toBeLessThan(TOLERANCE);
    const [want, got] = [await onCpu.evaluate(batches[0]!), await onDevice.evaluate(batches[0]!)];
    expect(got.loss / want.loss).toBeCloseTo(1, 4);
    const left = onDevice.leftToCpu();
    onCpu.release();
    await onDevice.release();
    return left;
  }

  it('fine-tunes all weights as the CPU does, with accumulation and clipping', async () => {
    const left = await expectSameRun(sft(), textBatches(4), fresh, {});
    // Sizes, computed where they are needed: on the host.
    expect(Object.keys(left)).toEqual(['Shape']);
  });

  it('trains a LoRA adapter by DPO over frozen weights as the CPU does', async () => {
    const base = fresh();
    const spec = { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] as const };
    const adapter = () => {
      const made = initialAdapter(config, spec, createRandom(5));
      const random = createRandom(6);
      for (const [name, { data }] of made)
        if (name.includes('lora_B')) data.forEach((_, i) => (data[i] = 0.1 * random.normal()));
      return made;
    };
    const pairs = pairBatch([
      { chosen: [4, 9, 2, 33, 8], rejected: [4, 9, 2, 17], promptLength: 3 },
      { chosen: [11, 5, 6], rejected: [11, 5, 60, 1, 7], promptLength: 2 },
    ]);
    const batch = [{ pairs, referenceGaps: [0.4, -1.2] }];
    await expectSameRun(dpo({ beta: 0.3 }), [batch, batch, batch], adapter, { frozen: base, adapterScale: 2 });
  });

  it('goes on from what was fetched as if nothing had happened', async () => {
    const batches = textBatches(4);
    const make = (trainable: ParameterSet, optimizer = adamW()) =>
      DeviceTrainStep.create({ ...shared, objective: sft(), trainable, optimizer, memory });
    const [whole, halves] = [fresh(), fresh()];
    const straight = await make(whole);
    for (const batch of batches) await straight.run(batch, 1e-2);
    await straight.fetch();
    const [before, after] = [adamW(), adamW()];
    const first = await make(halves, before);
    for (const batch of batches.slice(0, 2)) await first.run(batch, 1e-2);
    await first.release();
    after.restore(before.state());
    const resumed = copyParameters(halves);
    const second = await make(resumed, after);
    for (const batch of batches.slice(2)) await second.run(batch, 1e-2);
    await second.fetch();
    // Not bit for bit: the device adds up the gradients of a token's occurrences in any order.
    expectAlike(whole, resumed);
    await straight.release();
    await second.release();
  });

  it('changes nothing when the loss is not a number', async () => {
    const trainable = fresh();
    trainable.get('model.norm.weight')!.data[0] = NaN;
    const before = copyParameters(trainable);
    const step = await DeviceTrainStep.create({ ...shared, objective: sft(), trainable, optimizer: adamW(), memory });
    const { applied } = await step.run(textBatches(1)[0]!, 1e-2);
    expect(applied).toBe(false);
    await step.fetch();
    for (const [name, { data }] of before) expect(trainable.get(name)!.data, name).toEqual(data);
    await step.release();
  });
});
