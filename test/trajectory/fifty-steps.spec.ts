import { parseModelConfig } from '@attune/models';
import { AdamW, padSequences, sft, TrainStep } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { openFixture } from '../parity/fixtures.js';
import { fullStep, runtime } from './tiny.js';

interface Facts {
  readonly config: unknown;
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly learningRate: number;
}

describe('fifty steps of full fine-tuning', () => {
  it('follow the loss and the gradient norm of PyTorch', async () => {
    const fixture = openFixture<Facts>('trajectory');
    const { losses, norms, learningRate } = fixture.facts;
    const { step } = await fullStep(fixture.parameters('weights.'), parseModelConfig(fixture.facts.config));
    const batches = [0, 1, 2, 3].map((i) => batchOf(fixture.integers(`batch.${i}`)));
    for (const [i, loss] of losses.entries()) {
      const result = await step.run([batches[i % 4]!], learningRate);
      expect(Math.abs(result.loss / loss - 1), `loss of step ${i}`).toBeLessThan(1e-4);
      expect(Math.abs(result.gradNorm / norms[i]! - 1), `gradient norm of step ${i}`).toBeLessThan(1e-3);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.8);
    step.release();
  });
});

describe('fifty steps of LoRA', () => {
  it('follow the loss and the gradient norm of PEFT', async () => {
    const fixture = openFixture<Facts & { readonly scale: number }>('trajectory-lora');
    const { config, losses, norms, learningRate, scale } = fixture.facts;
    const step = await TrainStep.create({
      config: parseModelConfig(config),
      objective: sft(),
      trainable: fixture.parameters('lora.'),
      frozen: fixture.parameters('weights.'),
      adapterScale: scale,
      optimizer: new AdamW({ weightDecay: 0.1 }),
      clipNorm: 1,
      runtime,
    });
    const batches = [0, 1, 2, 3].map((i) => batchOf(fixture.integers(`batch.${i}`)));
    for (const [i, loss] of losses.entries()) {
      const result = await step.run([batches[i % 4]!], learningRate);
      expect(Math.abs(result.loss / loss - 1), `loss of step ${i}`).toBeLessThan(1e-4);
      expect(Math.abs(result.gradNorm / norms[i]! - 1), `gradient norm of step ${i}`).toBeLessThan(1e-3);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.8);
    step.release();
  });
});

function batchOf(ids: readonly number[]) {
  const length = ids.length / 4;
  const rows = [0, 1, 2, 3].map((row) => ids.slice(row * length, (row + 1) * length));
  return padSequences(rows.map((row) => ({ ids: row, weights: row.map(() => 1) })));
}
