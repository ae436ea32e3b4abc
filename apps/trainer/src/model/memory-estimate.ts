import type { ModelConfig } from '@attune/models';
import { estimateTrainingMemory, trainableCount, type TuningForm } from '@attune/training';

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
  /** Copies of the policy that are not trained: references. */
  readonly numReferences: number;
  /** Policies trained with optimizer and gradients: 1, or 2 with a reward model. */
  readonly numTrained: number;
  readonly activationCheckpointing: boolean;
  /** Sequences the sampler runs at once, and their longest. */
  readonly sampler: { readonly slots: number; readonly maxSeq: number };
}

const FLOAT = 4;
/** Values, gradients, gradients accumulated in, and AdamW's two moments. */
const ARRAYS_OF_TRAINED = 5;

/**
 * Bytes a whole job needs at its largest step: that step as training puts it (one set of base weights, which serving
 * shares), and beside it what the job holds through: references, a reward model, gradients to accumulate in, and the
 * sampler's cache.
 */
export function estimateMemory(config: ModelConfig, plan: MemoryPlan): number {
  const { form, numReferences, numTrained, activationCheckpointing } = plan;
  const steps = plan.steps.map(({ sequences, tokens, logits }) => {
    const batch = { rows: sequences, length: tokens, ...(logits ? {} : { countedTokens: 0 }) };
    return estimateTrainingMemory(config, form, batch, { activationCheckpointing }).total;
  });
  const trained = trainableCount(config, form) * FLOAT;
  const beside = trained * (1 + numReferences + (numTrained - 1) * ARRAYS_OF_TRAINED);
  return Math.max(0, ...steps) + beside + samplerBytes(config, plan.sampler);
}

function samplerBytes(
  { numLayers, numKvHeads, headDim }: ModelConfig,
  { slots, maxSeq }: MemoryPlan['sampler'],
): number {
  return 2 * slots * maxSeq * numLayers * numKvHeads * headDim * FLOAT;
}
