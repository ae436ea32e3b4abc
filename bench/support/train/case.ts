import { parseModelConfig } from '@attune/models';
import type { BaseWeights, TrainingSwitches, TuningForm } from '@attune/training';

/** What a contender is told to train; the same for ours and for PyTorch. */
export interface TrainCase {
  readonly model: keyof typeof trainModels;
  readonly form: 'full' | 'lora';
  readonly rows: number;
  readonly length: number;
  /** Ours only: PyTorch's weights are fp32. */
  readonly baseWeights?: BaseWeights;
  /** Ours only: whether idle threads sleep, as the trainer's do, and take no processor time. */
  readonly sleepy?: boolean;
  /** Ours only. */
  readonly switches?: TrainingSwitches;
}

const common = {
  architectures: ['LlamaForCausalLM'],
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};

/** config.json of the shapes measured: 5 M parameters, and SmolLM2-135M's. Speed depends on these, not on the weights. */
export const trainModels = {
  m5: {
    ...common,
    vocab_size: 4096,
    hidden_size: 256,
    intermediate_size: 688,
    num_hidden_layers: 6,
    num_attention_heads: 8,
    num_key_value_heads: 4,
  },
  smol: {
    ...common,
    vocab_size: 49_152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
  },
} as const;

export const RANK = 16;
export const ALPHA = 32;

export const configOfCase = ({ model }: TrainCase) => parseModelConfig(trainModels[model]);

export const formOfCase = ({ form }: TrainCase): TuningForm =>
  form === 'full'
    ? { kind: 'full' }
    : {
        kind: 'lora',
        rank: RANK,
        alpha: ALPHA,
        targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
      };
