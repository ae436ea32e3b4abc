import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import {
  AdamW,
  estimateTrainingMemory,
  initialParameters,
  packSequences,
  sft,
  startTuning,
  TrainStep,
} from '@attune/training';
import { expect, it } from 'vitest';
import { randomSequence, runtime } from './tiny.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 4096,
  hidden_size: 256,
  intermediate_size: 688,
  num_hidden_layers: 6,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  tie_word_embeddings: true,
});

it('a training step takes the memory that was estimated, within a quarter', async () => {
  const peakBytes = () => process.resourceUsage().maxRSS * 1024;
  const [rows, length] = [6, 256];
  const before = peakBytes();
  const tuned = startTuning(config, { kind: 'full' }, initialParameters(config, createRandom(1)), createRandom(2));
  const options = { config, ...tuned, objective: sft(), optimizer: new AdamW(), clipNorm: 1, runtime };
  const step = await TrainStep.create(options);
  const random = createRandom(3);
  const sequences = Array.from({ length: rows }, () => randomSequence(random, length, config.vocabSize));
  await step.run([packSequences(sequences, rows, length).batch], 1e-4);
  step.release();
  const { total, process: own } = estimateTrainingMemory(config, { kind: 'full' }, { rows, length });
  const expected = total - own;
  expect((peakBytes() - before) / expected).toBeGreaterThan(0.75);
  expect((peakBytes() - before) / expected).toBeLessThan(1.33);
}, 60_000);

it('the estimate falls with every switch and with smaller forms', () => {
  const shape = { rows: 8, length: 512 };
  const bytes = (
    ...rest: [Parameters<typeof estimateTrainingMemory>[1], Parameters<typeof estimateTrainingMemory>[3]?]
  ) => estimateTrainingMemory(config, rest[0], shape, rest[1]).total;
  const full = bytes({ kind: 'full' });
  expect(bytes({ kind: 'full' }, { activationCheckpointing: true })).toBeLessThan(0.6 * full);
  expect(bytes({ kind: 'full' }, { headChunks: 4 })).toBeLessThan(full);
  expect(bytes({ kind: 'soft-prompt', numTokens: 8 })).toBeLessThan(full);
  expect(bytes({ kind: 'lora', rank: 8, alpha: 8, targets: ['q_proj'] })).toBeLessThan(full);
});
