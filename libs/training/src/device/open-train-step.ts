import type { AdamW } from '../optimizers/adamw.js';
import type { Evaluation } from '../step/mean.js';
import { type StepResult, TrainStep, type TrainStepOptions } from '../step/train-step.js';
import type { DeviceMemory } from './device-memory.js';
import { DeviceTrainStep } from './device-train-step.js';

/** One optimizer step at a time, wherever it is made. */
export interface TrainingStep<Batch> {
  /** Accumulates the gradients of all micro-batches, then updates the parameters once. */
  run(microBatches: readonly Batch[], learningRate: number): Promise<StepResult>;
  /** The mean loss and metrics of some batches, without gradients. */
  evaluate(batches: readonly Batch[]): Promise<Evaluation>;
  /** Brings the trained arrays and the optimizer up to date, before somebody else reads them. */
  fetch(): Promise<void>;
  /** Frees what the step holds, after a last `fetch`. */
  release(): Promise<void>;
}

export interface OpenStepOptions<Batch> extends TrainStepOptions<Batch> {
  readonly optimizer: AdamW;
  /** The device to train on; the CPU when left out. */
  readonly memory?: DeviceMemory | undefined;
}

/** A training step on a device, or on the CPU, where the arrays it was given are always up to date. */
export async function openTrainStep<Batch>(options: OpenStepOptions<Batch>): Promise<TrainingStep<Batch>> {
  const { memory } = options;
  if (memory) return DeviceTrainStep.create({ ...options, memory });
  const step = await TrainStep.create(options);
  return {
    run: (microBatches, learningRate) => step.run(microBatches, learningRate),
    evaluate: (batches) => step.evaluate(batches),
    fetch: async () => undefined,
    release: async () => step.release(),
  };
}
