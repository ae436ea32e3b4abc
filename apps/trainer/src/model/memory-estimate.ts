import type { ModelConfig } from '@attune/models';
import { trainableCount, type TuningForm } from '@attune/training';

/** One kind of training step a job makes. */
export interface StepShape {
  /** Sequences that go through the model at once. */
  readonly sequences: number;
  /** Tokens of the longest of them. */
  readonly tokens: number;
  /** Whether the output head is computed; a reward model reads one score a sequence. */
  readonly logits: boolean;
}

export interface MemoryPlan {
  readonly form: TuningForm;
  readonly steps: readonly StepShape[];
  /** Whole or part copies beside the policy that are not trained: references. */
  readonly numReferences: number;
  /** Policies trained with optimizer and gradients: 1, or 2 with a reward model. */
  readonly numTrained: number;
  readonly activationCheckpointing: boolean;
  /** Sequences the sampler runs at once, and their longest. */
  readonly sampler: { readonly slots: number; readonly maxSeq: number };
}

const FLOAT = 4;
/** Node, ONNX Runtime and the code of both. */
const PROCESS_BYTES = 200e6;
/** Tensors of the hidden size, and of the feed-forward size, that a layer keeps for its backward pass. */
const KEPT_HIDDEN = 10;
const KEPT_FEED_FORWARD = 4;
/** Attention matrices likewise: scores, probabilities, and a gradient under way. */
const KEPT_ATTENTION = 3;
/** Copies of the logits alive at once: log-probabilities and their gradient. */
const KEPT_LOGITS = 2;

/**
 * Bytes a job needs at its largest step, within about a quarter: base weights once (serving and training share them),
 * what is trained with gradients and AdamW's two moments, references, the sampler's cache, and the activations of the
 * largest batch. A 5 M model at 8 × 256 tokens is put at 0.7 GB, of which 0.73 were measured.
 */
export function estimateMemory(config: ModelConfig, plan: MemoryPlan): number {
  const trained = trainableCount(config, plan.form);
  const weights = trainableCount(config, { kind: 'full' }) * FLOAT;
  // Values, gradients, a second gradient buffer to accumulate in, two moments.
  const training = plan.numTrained * trained * FLOAT * 5;
  const references = plan.numReferences * trained * FLOAT;
  const activations = Math.max(0, ...plan.steps.map((step) => activationBytes(config, step, plan)));
  return PROCESS_BYTES + weights + training + references + samplerBytes(config, plan.sampler) + activations;
}

function activationBytes(
  config: ModelConfig,
  { sequences, tokens, logits }: StepShape,
  { activationCheckpointing }: MemoryPlan,
): number {
  const { hiddenSize, intermediateSize, numHeads, numLayers, vocabSize } = config;
  const layer = hiddenSize * KEPT_HIDDEN + intermediateSize * KEPT_FEED_FORWARD + numHeads * tokens * KEPT_ATTENTION;
  // With checkpointing a layer keeps its input, and one layer at a time is whole.
  const perToken = activationCheckpointing ? layer + numLayers * hiddenSize : layer * numLayers;
  const head = logits ? vocabSize * KEPT_LOGITS : 0;
  return sequences * tokens * (perToken + head) * FLOAT;
}

function samplerBytes(
  { numLayers, numKvHeads, headDim }: ModelConfig,
  { slots, maxSeq }: MemoryPlan['sampler'],
): number {
  return 2 * slots * maxSeq * numLayers * numKvHeads * headDim * FLOAT;
}
