import type { LoadedModel } from '@attune/engine';
import { parameterShapes, parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';

/** Real models' shapes, as the fields of their config.json. Speed depends on these alone, not on the weights. */
const shapes = {
  mini: {
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 6,
    num_key_value_heads: 3,
    vocab_size: 2048,
    rope_theta: 10_000,
    attention_bias: false,
  },
  /** SmolLM2-135M. */
  smol: {
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49_152,
    rope_theta: 100_000,
    attention_bias: false,
  },
  /** Qwen2.5-0.5B, whose query, key and value projections have biases; here the output projection has one too. */
  qwen: {
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    vocab_size: 151_936,
    rope_theta: 1_000_000,
    attention_bias: true,
  },
} as const;

export type ShapeName = keyof typeof shapes;
export const isShapeName = (name: string): name is ShapeName => name in shapes;

/** A Hugging Face config.json of the shape. */
export const configOf = (name: ShapeName) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  ...shapes[name],
  max_position_embeddings: 16_384,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
  hidden_act: 'silu',
});

const SPREAD = 0.05;

/** Weights drawn at random, the same for the same shape. */
export function randomModel(config: object, digest: string): LoadedModel {
  const noise = noiseSource();
  const tensors = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(parseModelConfig(config))) {
    const size = shape.reduce((all, dim) => all * dim, 1);
    tensors.set(name, name.includes('norm') ? new Float32Array(size).fill(1) : noise(size, SPREAD));
  }
  return { config, digest, tensor: (name) => ({ data: tensors.get(name)! }) };
}

/** Cheap noise: one table of normal numbers, read from a different place each time. */
export function noiseSource() {
  const random = createRandom(7);
  const table = Float32Array.from({ length: 65_537 }, () => random.normal());
  return (size: number, spread: number) => {
    const start = random.int(table.length);
    const out = new Float32Array(size);
    for (let i = 0; i < size; i++) out[i] = spread * table[(start + i) % table.length]!;
    return out;
  };
}

/** Random token ids that no tokenizer gives a meaning to (the first 300 are taken by bytes and controls). */
export function randomPrompt(seed: number, length: number, vocabSize: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length }, () => 300 + random.int(vocabSize - 300));
}
