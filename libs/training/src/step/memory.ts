import { type ModelConfig, roundedBytes, roundedShapes } from '@attune/models';
import { type TuningForm, trainableCount } from '../forms/tuning-form.js';
import { modelSize } from '../forms/model-size.js';
import { ATTENTION_PARTS } from './model-graph.js';
import type { BaseWeights } from './rounded-base.js';
import type { TrainingSwitches } from './switches.js';

/** One micro-batch as it goes through the model. */
export interface BatchShape {
  readonly rows: number;
  readonly length: number;
  /** Tokens that go through the output head; all of them when left out. */
  readonly countedTokens?: number;
}

/** Where the bytes of a training process go. */
export interface MemoryEstimate {
  /** Base weights and what is trained. */
  readonly weights: number;
  /** Gradients and the two moments of AdamW; with accumulation one more gradient. */
  readonly optimizer: number;
  /** What the forward pass keeps for the backward pass. */
  readonly activations: number;
  /** Logits and probabilities at the output head. */
  readonly head: number;
  /** Node, ONNX Runtime and the slack of its allocator. */
  readonly process: number;
  readonly total: number;
}

const FLOAT = 4;
const MEGABYTE = 2 ** 20;
/** An empty Node process that has loaded ONNX Runtime. */
const PROCESS = 120 * MEGABYTE;
/** Share of a row's scores that attention in parts computes, see attentionPlan. */
const SEEN = (ATTENTION_PARTS + 1) / (2 * ATTENTION_PARTS);
/** The allocator's blocks are never all full: measured, see the spec beside this file. */
const SLACK = 1.15;

/**
 * Bytes a training step needs at its peak, so that a job can be refused before it starts. Counts the tensors that the
 * training graph keeps, layer by layer; within a quarter of what is measured.
 */
export function estimateTrainingMemory(
  config: ModelConfig,
  form: TuningForm,
  batch: BatchShape,
  switches: TrainingSwitches = {},
  baseWeights: BaseWeights = 'fp32',
): MemoryEstimate {
  const trained = trainableCount(config, form);
  const base = modelSize(config);
  const length = batch.length + (form.kind === 'soft-prompt' ? form.numTokens : 0);
  const rounded = baseWeights === 'int8' ? roundedBytes(config) + packedBySampler(config) : 0;
  const weights = FLOAT * (form.kind === 'full' ? trained : base + trained) + rounded;
  const optimizer = FLOAT * 3 * trained;
  const activations = FLOAT * activationValues(config, form, batch.rows, length, switches);
  const head = FLOAT * headValues(config, batch, switches);
  const graph = SLACK * (activations + head);
  return {
    weights,
    optimizer,
    activations,
    head,
    process: PROCESS + graph - activations - head,
    total: weights + optimizer + PROCESS + graph,
  };
}

/** A byte for every rounded weight. */
const packedBySampler = (config: ModelConfig): number =>
  [...roundedShapes(config).values()].reduce((sum, [out, inner]) => sum + out * inner, 0);

function activationValues(
  config: ModelConfig,
  form: TuningForm,
  rows: number,
  length: number,
  { activationCheckpointing = false }: TrainingSwitches,
): number {
  const tokens = rows * length;
  const layer = layerValues(config, form, rows, length);
  const mask = rows * length * length * (1 + (SEEN * config.numHeads) / config.numKvHeads);
  const inputs = tokens * config.hiddenSize;
  const kept = activationCheckpointing ? config.numLayers * inputs + layer : config.numLayers * layer;
  return kept + mask + transientValues(config, rows, length);
}

/** What one layer keeps: normalised inputs, q, k, v, attention's probabilities and output, the three parts of the MLP. */
function layerValues(config: ModelConfig, form: TuningForm, rows: number, length: number): number {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = config;
  const tokens = rows * length;
  const perToken = 4 * hiddenSize + (3 * numHeads + 2 * numKvHeads) * headDim + 4 * intermediateSize;
  const added =
    form.kind === 'lora'
      ? form.targets.length * form.rank
      : form.kind === 'bottleneck'
        ? 2 * (2 * form.size + hiddenSize)
        : 0;
  return tokens * (perToken + added) + SEEN * rows * numHeads * length * length;
}

/** Gradients under way in the backward pass of one layer. */
function transientValues(config: ModelConfig, rows: number, length: number): number {
  const { hiddenSize, intermediateSize, numHeads } = config;
  const scores = (rows * numHeads * length * length) / ATTENTION_PARTS;
  return rows * length * (2 * hiddenSize + 2 * intermediateSize) + 2 * scores;
}

/** Logits, probabilities, and probabilities less the labels. */
function headValues(config: ModelConfig, batch: BatchShape, { headChunks = 1 }: TrainingSwitches): number {
  const counted = batch.countedTokens ?? batch.rows * batch.length;
  return (3 * counted * config.vocabSize) / Math.max(1, headChunks);
}
