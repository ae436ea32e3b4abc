/**
 * How the bundled model is made. Everything that decides its weights is here, so that the same recipe gives the same
 * file (on the same ONNX Runtime and number of threads).
 */
export interface PretrainRecipe {
  readonly seed: number;
  readonly vocabSize: number;
  /** Examples whose text the tokenizer learns its merges from. */
  readonly tokenizerExamples: number;
  readonly model: {
    readonly hiddenSize: number;
    readonly intermediateSize: number;
    readonly numLayers: number;
    readonly numHeads: number;
    readonly numKvHeads: number;
    readonly headDim: number;
    readonly maxPositions: number;
    readonly ropeTheta: number;
  };
  /** Rows of a micro-batch and tokens a row; examples are packed into them. */
  readonly rows: number;
  readonly length: number;
  readonly microBatches: number;
  readonly steps: number;
  readonly warmupSteps: number;
  /** The last steps, over which the learning rate falls to 0. */
  readonly decaySteps: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  /** Weight of the prompt's tokens in the loss; the answer's have 1. */
  readonly promptWeight: number;
}

export const recipe: PretrainRecipe = {
  seed: 2024,
  vocabSize: 2048,
  tokenizerExamples: 60_000,
  model: {
    hiddenSize: 192,
    intermediateSize: 512,
    numLayers: 6,
    numHeads: 6,
    numKvHeads: 3,
    headDim: 32,
    maxPositions: 1024,
    ropeTheta: 10_000,
  },
  rows: 16,
  length: 128,
  microBatches: 2,
  steps: 2400,
  warmupSteps: 100,
  decaySteps: 800,
  learningRate: 3e-3,
  weightDecay: 0.05,
  clipNorm: 1,
  promptWeight: 0,
};

/** The recipe's model as Hugging Face's config.json has it. */
export function modelConfigJson({ model, vocabSize }: PretrainRecipe): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabSize,
    hidden_size: model.hiddenSize,
    intermediate_size: model.intermediateSize,
    num_hidden_layers: model.numLayers,
    num_attention_heads: model.numHeads,
    num_key_value_heads: model.numKvHeads,
    head_dim: model.headDim,
    max_position_embeddings: model.maxPositions,
    rms_norm_eps: 1e-5,
    rope_theta: model.ropeTheta,
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: true,
    pad_token_id: 0,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: 'float16',
  };
}
