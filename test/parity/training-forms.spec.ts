import { parseModelConfig } from '@attune/models';
import { createRuntime } from '@attune/runtime';
import { sft, SOFT_PROMPT, TrainStep, type TrainingSwitches } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { fixtureBatch, openFixture, relativeError } from './fixtures.js';
import { GradientRecorder } from '../support/gradient-recorder.js';

interface Facts {
  readonly config: unknown;
  readonly losses: Readonly<Record<string, number>>;
  readonly scale: number;
}

const TOLERANCE = 1e-5;
const runtime = createRuntime({ threads: 2 });
const fixture = openFixture<Facts>('forms');
const config = parseModelConfig(fixture.facts.config);
const BOTH: TrainingSwitches = { activationCheckpointing: true, headChunks: 3 };

describe.each([
  ['LoRA, as PEFT has it,', 'lora', fixture.facts.scale],
  ['prompt tuning, as PEFT has it,', 'prompt', 1],
  ['adapter layers, in PyTorch,', 'bottleneck', 1],
])('%s', (_, form, adapterScale) => {
  it.each([
    ['', {}],
    [', computed in parts and again', BOTH],
  ])('have the same loss and gradients%s', async (_, switches) => {
    const trainable = fixture.parameters(`${form}.`);
    const optimizer = new GradientRecorder();
    const frozen = fixture.parameters('weights.');
    const options = { config, objective: sft(), trainable, frozen, adapterScale, optimizer, clipNorm: null, runtime };
    const step = await TrainStep.create({ ...options, switches });
    const { loss } = await step.run([fixtureBatch(fixture)], 0);
    step.release();
    expect(Math.abs(loss / fixture.facts.losses[form]! - 1)).toBeLessThan(TOLERANCE);
    const expected = fixture.parameters(`${form}_gradients.`);
    expect([...optimizer.gradients.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, gradient] of optimizer.gradients)
      expect(relativeError(gradient, expected.get(name)!.data), name).toBeLessThan(TOLERANCE);
  });
});

it('the soft prompt goes by PEFT’s name', () => {
  expect(fixture.parameters('prompt.').get(SOFT_PROMPT)!.shape).toEqual([5, config.hiddenSize]);
});
