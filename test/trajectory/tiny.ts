import { type ModelConfig, parseModelConfig } from '@attune/models';
import { createRandom, type Random } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import { AdamW, type ParameterSet, sft, TrainStep, type WeightedSequence } from '@attune/training';

/** A Llama small enough to train in milliseconds, with everything that makes the family: grouped heads, tied head. */
export const tinyConfig: ModelConfig = parseModelConfig({
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

export const runtime = createRuntime({ threads: 2 });

/** A random sequence whose tokens all count, but for the first few. */
export function randomSequence(random: Random, length: number, vocab = tinyConfig.vocabSize): WeightedSequence {
  const ids = Array.from({ length }, () => random.int(vocab));
  return { ids, weights: ids.map((_, i) => (i < 3 ? 0 : 0.5 + random.next())) };
}

export const randomSequences = (seed: number, lengths: readonly number[]): WeightedSequence[] => {
  const random = createRandom(seed);
  return lengths.map((length) => randomSequence(random, length));
};

/** A full fine-tuning step with AdamW. */
export async function fullStep(trainable: ParameterSet, config = tinyConfig) {
  const optimizer = new AdamW({ weightDecay: 0.1 });
  const step = await TrainStep.create({ config, objective: sft(), trainable, optimizer, clipNorm: 1, runtime });
  return { step, optimizer };
}

/** Bytes of every parameter, for comparisons bit by bit. */
export function bits(parameters: ParameterSet): Record<string, string> {
  const text = ({ data }: { data: Float32Array }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return Object.fromEntries([...parameters].map(([name, value]) => [name, text(value)]));
}
