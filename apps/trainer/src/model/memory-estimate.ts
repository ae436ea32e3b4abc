import type { ModelConfig } from '@attune/models';
import { type BaseWeights, estimateTrainingMemory, trainableCount, type TuningForm } from '@attune/training';

/** Sequences that go through the model at once. */
export interface BatchSize {
  readonly sequences: number;
  /** Of the longest of them: all are padded to it. */
  readonly tokens: number;
  /** Tokens of a sequence whose log-probs are computed; 0 for heads that give a number. */
  readonly counted: number;
}

/** What lies in memory at the same time while a job is in one place. */
export interface StageSize {
  /** The step with its gradients; null where nothing is trained. */
  readonly step: BatchSize | null;
  /** Forward passes, each in a session whose memory stays its own. */
  readonly passes: readonly BatchSize[];
}

export interface MemoryPlan {
  readonly form: TuningForm;
  readonly stages: readonly StageSize[];
  /** Copies of the policy that are not trained: the reference, and the last weights within a budget. */
  readonly numReferences: number;
  /** Policies trained with optimizer and gradients: 1, or 2 with a reward model. */
  readonly numTrained: number;
  readonly activationCheckpointing: boolean;
  readonly baseWeights: BaseWeights;
  /** Sequences the sampler runs at once, and their longest. */
  readonly sampler: { readonly slots: number; readonly maxSeq: number };
}

const FLOAT = 4;
/** Values, gradients, gradients accumulated in, and AdamW's two moments. */
const ARRAYS_OF_TRAINED = 5;
/** The allocator's blocks are never all full, as in training. */
const SLACK = 1.15;

/**
 * Bytes a whole job needs where it needs most: a training step (with one set of base weights, which serving shares) and
 * the forward passes beside it; and what the job holds through: references, a reward model, gradients to accumulate in,
 * and the sampler's cache.
 */
export function estimateMemory(config: ModelConfig, plan: MemoryPlan): number {
  const { form, numReferences, numTrained } = plan;
  const trained = trainableCount(config, form) * FLOAT;
  const beside = trained * (1 + numReferences + (numTrained - 1) * ARRAYS_OF_TRAINED);
  const stages = plan.stages.map((stage) => stageBytes(config, stage, plan));
  return Math.max(0, ...stages) + beside + samplerBytes(config, plan.sampler);
}

/** The same where graphs run on a device: this side keeps the weights that are sampled from, and what is fetched. */
export const estimateBesideDevice = (config: ModelConfig, plan: MemoryPlan): number =>
  estimateMemory(config, { ...plan, stages: [{ step: null, passes: [] }] });

/**
 * What the device has to hold at the same time: everything but the sampler's cache. Its driver needs room as a process
 * does.
 */
export const estimateOnDevice = (config: ModelConfig, plan: MemoryPlan): number =>
  estimateMemory(config, { ...plan, sampler: { slots: 0, maxSeq: 0 } });

function stageBytes(config: ModelConfig, { step, passes }: StageSize, plan: MemoryPlan): number {
  const { form, activationCheckpointing, baseWeights } = plan;
  // Without a step the weights still lie there: a step over nothing.
  const { sequences, tokens, counted } = step ?? { sequences: 0, tokens: 0, counted: 0 };
  const batch = { rows: sequences, length: tokens, countedTokens: sequences * counted };
  const forward = passes.reduce((sum, pass) => sum + passBytes(config, pass), 0);
  return estimateTrainingMemory(config, form, batch, { activationCheckpointing }, baseWeights).total + forward;
}

/** A forward pass keeps one layer at a time, what attention looks at, and the logits of what is counted. */
function passBytes(config: ModelConfig, { sequences, tokens, counted }: BatchSize): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim, vocabSize } = config;
  const perToken = 4 * hiddenSize + (3 * numHeads + 2 * numKvHeads) * headDim + 3 * intermediateSize;
  const attention = (2 * numHeads + numHeads / numKvHeads) * tokens * tokens;
  const head = 2 * counted * vocabSize;
  return SLACK * FLOAT * sequences * (tokens * perToken + attention + head);
}

function samplerBytes(
  { numLayers, numKvHeads, headDim }: ModelConfig,
  { slots, maxSeq }: MemoryPlan['sampler'],
): number {
  return 2 * slots * maxSeq * numLayers * numKvHeads * headDim * FLOAT;
}
