import { InvalidRequestError } from '@attune/platform';
import type { BoundRun, Device, Session } from '@attune/runtime';
import type { AdamWOptions } from '../optimizers/adamw.js';
import type { OptimizerState } from '../optimizers/optimizer.js';
import { type Evaluation, meanOver } from '../step/mean.js';
import { Program, type ProgramOptions, type Sums } from '../step/program.js';
import type { StepResult } from '../step/train-step.js';
import { bindAccumulation, DeviceAdamW } from './device-adamw.js';
import {
  fetchParameters,
  type PlacedParameters,
  placeParameters,
  placeZeros,
  releaseParameters,
} from './placed-parameters.js';

export interface DeviceTrainStepOptions<Batch> extends ProgramOptions<Batch> {
  readonly device: Device;
  readonly adamW?: Partial<AdamWOptions>;
  /** Gradients longer than this are shortened to it (global L2 norm); null leaves them alone. */
  readonly clipNorm: number | null;
}

/** Where the gradients of further micro-batches go before they are added up. */
interface Accumulation {
  readonly part: PlacedParameters;
  readonly run: BoundRun;
  readonly session: Session;
}

/**
 * A `TrainStep` whose weights, gradients and moments stay on a device: a step sends token ids over and gets a few sums
 * back. The arrays it was given keep their first values until `fetch`.
 */
export class DeviceTrainStep<Batch> {
  private accumulation: Promise<Accumulation> | null = null;
  private forward: Promise<Program<Batch>> | null = null;

  private constructor(
    private readonly options: DeviceTrainStepOptions<Batch> & { readonly placed: PlacedParameters },
    private readonly program: Program<Batch>,
    private readonly optimizer: DeviceAdamW,
  ) {}

  /** Moves the parameters to the device and builds the graphs of a step there. */
  static async create<Batch>(options: DeviceTrainStepOptions<Batch>): Promise<DeviceTrainStep<Batch>> {
    const { device, runtime, trainable, frozen } = options;
    const placed = await placeParameters(device, new Map([...(frozen ?? []), ...trainable]));
    const there = { ...options, placed };
    const program = await Program.create(there, true);
    return new DeviceTrainStep(there, program, await DeviceAdamW.create(runtime, trainable, placed, options.adamW));
  }

  /** Accumulates the gradients of all micro-batches, then updates the parameters once. */
  async run(microBatches: readonly Batch[], learningRate: number): Promise<StepResult> {
    if (microBatches.length === 0) throw new InvalidRequestError('a training step needs at least one micro-batch');
    const sums: Sums[] = [];
    for (const batch of microBatches) sums.push(await this.accumulate(batch, sums.length === 0));
    const mean = meanOver(this.options.objective, microBatches, sums);
    const gradNorm = (await this.optimizer.gradientNorm()) / mean.items;
    const result = { ...mean, gradNorm };
    if (!Number.isFinite(mean.loss) || !Number.isFinite(gradNorm)) return { ...result, applied: false };
    const { clipNorm } = this.options;
    const shorten = clipNorm !== null && gradNorm > clipNorm ? clipNorm / gradNorm : 1;
    await this.optimizer.update(shorten / mean.items, learningRate);
    return { ...result, applied: true };
  }

  /** The mean loss and metrics of some batches; a forward pass of its own, without gradients. */
  async evaluate(batches: readonly Batch[]): Promise<Evaluation> {
    const program = await (this.forward ??= Program.create(this.options, false));
    const sums: Sums[] = [];
    for (const batch of batches) sums.push(await program.run(batch));
    return meanOver(this.options.objective, batches, sums);
  }

  /** Copies the trained parameters into the arrays they came from. @returns the optimizer's moments */
  async fetch(): Promise<OptimizerState> {
    await fetchParameters(this.options.placed, this.options.trainable);
    return this.optimizer.state();
  }

  /** Goes on from saved parameters (the arrays' present values) and moments. */
  async restore(state: OptimizerState): Promise<void> {
    const { device, tensors } = this.options.placed;
    for (const [name, parameter] of this.options.trainable) await device.copy(parameter, tensors.get(name)!);
    await this.optimizer.restore(state);
  }

  /** Operators of the step that the device left to the CPU, with their number: each costs a trip there and back. */
  leftToCpu(): Readonly<Record<string, number>> {
    return this.program.leftToCpu();
  }

  /** Frees sessions and device memory; what was not fetched is lost. */
  async release(): Promise<void> {
    this.program.release();
    this.optimizer.release();
    const accumulation = await this.accumulation;
    accumulation?.session.release();
    if (accumulation) releaseParameters(accumulation.part);
    (await this.forward)?.release();
    releaseParameters(this.options.placed);
  }

  private async accumulate(batch: Batch, isFirst: boolean): Promise<Sums> {
    if (isFirst) return this.program.run(batch, this.optimizer.gradients.tensors);
    const { part, run } = await (this.accumulation ??= this.prepareAccumulation());
    const sums = await this.program.run(batch, part.tensors);
    await run.run();
    return sums;
  }

  private async prepareAccumulation(): Promise<Accumulation> {
    const { device, runtime, trainable } = this.options;
    const part = await placeZeros(device, trainable);
    return { part, ...(await bindAccumulation(runtime, trainable, this.optimizer.gradients, part)) };
  }
}
