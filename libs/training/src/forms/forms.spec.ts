import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import {
  type AdapterForm,
  adapterOf,
  AdamW,
  countValues,
  formOf,
  initialParameters,
  packSequences,
  padSequences,
  parametersOf,
  Scorer,
  sft,
  startTuning,
  trainableCount,
  trainableFraction,
  TrainStep,
  type TuningForm,
} from '../index.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 31,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
});
const runtime = createRuntime({ threads: 1 });
const base = initialParameters(config, createRandom(1), 0.3);
const FORMS: readonly AdapterForm[] = [
  { kind: 'lora', rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] },
  { kind: 'bottleneck', size: 3 },
  { kind: 'soft-prompt', numTokens: 4 },
];
const sequence = (seed: number, length: number) => {
  const random = createRandom(seed);
  return { ids: Array.from({ length }, () => random.int(config.vocabSize)), weights: Array<number>(length).fill(1) };
};
const sequences = [sequence(1, 9), sequence(2, 6), sequence(3, 7)];

async function trained(form: TuningForm) {
  const tuned = startTuning(config, form, base, createRandom(5));
  const options = {
    config,
    ...tuned,
    objective: sft(),
    optimizer: new AdamW({ weightDecay: 0 }),
    clipNorm: 1,
    runtime,
  };
  const step = await TrainStep.create(options);
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) losses.push((await step.run([padSequences(sequences)], 2e-2)).loss);
  step.release();
  return { tuned, losses };
}

async function logProbs(form: TuningForm, trainable: ReturnType<typeof parametersOf>, batch = padSequences(sequences)) {
  const adapterScale = form.kind === 'lora' ? form.alpha / form.rank : 1;
  const scorer = new Scorer({ config, parameters: new Map([...base, ...trainable]), adapterScale, runtime });
  const found = await scorer.tokenLogProbs(batch);
  await scorer.release();
  return found;
}

describe.each(FORMS)('$kind tuning', (form) => {
  it('learns, and leaves the base as it was', async () => {
    const before = [...base.values()].map(({ data }) => data.slice());
    const { losses } = await trained(form);
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.9);
    expect([...base.values()].map(({ data }) => data)).toEqual(before);
  });

  it('comes back from its stored form with the same answers and the same form', async () => {
    const { tuned } = await trained(form);
    const stored = adapterOf(tuned.trainable, form);
    const again = parametersOf(stored);
    expect(await logProbs(form, again)).toEqual(await logProbs(form, tuned.trainable));
    expect(formOf(stored)).toEqual(form);
    again.values().next().value!.data.fill(9);
    expect(adapterOf(tuned.trainable, form)).toEqual(stored);
  });

  it('trains as many values as it says', () => {
    const { trainable } = startTuning(config, form, base, createRandom(5));
    expect(trainableCount(config, form)).toBe(countValues(trainable));
    expect(trainableFraction(config, form)).toBe(countValues(trainable) / countValues(base));
  });

  it('sees no difference between packed and padded sequences', async () => {
    const { tuned } = await trained(form);
    const { batch, left } = packSequences(sequences, 2, 16);
    expect(left).toEqual([]);
    const [padded, packed] = [await logProbs(form, tuned.trainable), await logProbs(form, tuned.trainable, batch)];
    // The rows hold sequences 0 and 1, then 2: the order of the padded rows.
    padded.forEach((value, i) => expect(packed[i]!).toBeCloseTo(value, 4));
  });
});

it.each(FORMS.slice(0, 2))('a fresh $kind changes no bit of the model', async (form) => {
  const { trainable } = startTuning(config, form, base, createRandom(5));
  expect(await logProbs(form, trainable)).toEqual(await logProbs({ kind: 'full' }, new Map()));
});

it('full tuning works on a copy', () => {
  const { trainable, frozen } = startTuning(config, { kind: 'full' }, base, createRandom(5));
  expect(frozen.size).toBe(0);
  trainable.get('model.norm.weight')!.data.fill(7);
  expect(base.get('model.norm.weight')!.data[0]).toBe(1);
  expect(trainableFraction(config, { kind: 'full' })).toBe(1);
});

describe('a soft prompt', () => {
  it('is below a thousandth of SmolLM2-135M', () => {
    const smol = parseModelConfig({
      architectures: ['LlamaForCausalLM'],
      vocab_size: 49_152,
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      tie_word_embeddings: true,
    });
    expect(trainableFraction(smol, { kind: 'soft-prompt', numTokens: 20 })).toBeLessThan(1e-3);
  });

  it('can make a frozen model say what it is taught', async () => {
    // Weights that are large enough for the frozen model to say anything at all with certainty.
    const decided = initialParameters(config, createRandom(1), 1);
    const tuned = startTuning(config, { kind: 'soft-prompt', numTokens: 8 }, decided, createRandom(5));
    const optimizer = new AdamW({ weightDecay: 0 });
    const step = await TrainStep.create({ config, ...tuned, objective: sft(), optimizer, clipNorm: 1, runtime });
    const taught = padSequences([{ ids: sequence(3, 9).ids, weights: [0, 0, 0, 0, 1, 1, 1, 1, 1] }]);
    for (let i = 0; i < 300; i++) await step.run([taught], 0.1 * Math.min(1, (300 - i) / 150));
    expect((await step.evaluate([taught])).loss).toBeLessThan(0.1);
    step.release();
  });

  it('starts from the embeddings it is told, repeated to its length', () => {
    const form: TuningForm = { kind: 'soft-prompt', numTokens: 3, initIds: [4, 6] };
    const prompt = startTuning(config, form, base, createRandom(1)).trainable.get('prompt_embeddings')!.data;
    const table = base.get('model.embed_tokens.weight')!.data;
    const row = (id: number) => [...table.subarray(id * 16, (id + 1) * 16)];
    expect([...prompt]).toEqual([...row(4), ...row(6), ...row(4)]);
  });

  it('refuses tokens that are none, and a length that leaves no room', () => {
    const start = (form: TuningForm) => () => startTuning(config, form, base, createRandom(1));
    expect(start({ kind: 'soft-prompt', numTokens: 2, initIds: [31] })).toThrow('the vocabulary has 31');
    expect(start({ kind: 'soft-prompt', numTokens: 64 })).toThrow('leaves no room in 64 positions');
  });
});
