import { InternalError, InvalidRequestError } from '@attune/platform';
import { holding, makeOfParts } from '../holding.js';
import type { AdamW } from '../optimizers/adamw.js';
import { type Evaluation, meanOver } from '../step/mean.js';
import type { FrozenSet } from '../step/parameters.js';
import { Program, type ProgramOptions, type Sums } from '../step/program.js';
import type { StepResult } from '../step/train-step.js';
import { type Accumulation, DeviceAdamW, openAccumulation } from './device-adamw.js';
import type { DeviceMemory } from './device-memory.js';
import type { PlacedParameters } from './placed-parameters.js';

export interface DeviceTrainStepOptions<Batch> extends ProgramOptions<Batch> {
  /** Holds the parameters' copies, which scorers may share. */
  readonly memory: DeviceMemory;
  /** Where the step begins; its moments are brought up to date by `fetch`. */
  readonly optimizer: AdamW;
  /** Gradients longer than this are shortened to it (global L2 norm); null leaves them alone. */
  readonly clipNorm: number | null;
}

/**
 * A `TrainStep` whose weights, gradients and moments stay on a device: a step sends token ids over and gets a few sums
 * back. The arrays it was given, and the optimizer, keep their first values until `fetch`.
 */
export class DeviceTrainStep<Batch> {
  private accumulation: Promise<Accumulation> | null = null;
  private forward: Promise<Program<Batch>> | null = null;
  /** Whether the device has moments that the optimizer has not. */
  private isAhead = false;
  /** Whether what the device knows can no longer be had: it failed in the middle of an update, or was left. */
  private isLost = false;

  private constructor(
    private readonly options: DeviceTrainStepOptions<Batch> & { readonly placed: PlacedParameters },
    private readonly program: Program<Batch>,
    private readonly there: DeviceAdamW,
  ) {}

  /** Moves the parameters to the device and builds the graphs of a step there. */
  static create<Batch>(options: DeviceTrainStepOptions<Batch>): Promise<DeviceTrainStep<Batch>> {
    const { memory, runtime, trainable, optimizer } = options;
    const parameters = allParameters(options);
    return makeOfParts(async (keep) => {
      const placed = await memory.hold(parameters);
      keep({ release: () => memory.letGo(parameters) });
      const program = keep(await Program.create({ ...options, placed }, true));
      const there = await DeviceAdamW.create(runtime, trainable, placed, optimizer);
      return new DeviceTrainStep({ ...options, placed }, program, there);
    });
  }

  /** Accumulates the gradients of all micro-batches, then updates the parameters once. */
  async run(microBatches: readonly Batch[], learningRate: number): Promise<StepResult> {
    if (microBatches.length === 0) throw new InvalidRequestError('a training step needs at least one micro-batch');
    const sums: Sums[] = [];
    for (const batch of microBatches) sums.push(await this.accumulate(batch, sums.length === 0));
    const mean = meanOver(this.options.objective, microBatches, sums);
    const gradNorm = (await this.there.gradientNorm()) / mean.items;
    const result = { ...mean, gradNorm };
    if (!Number.isFinite(mean.loss) || !Number.isFinite(gradNorm)) return { ...result, applied: false };
    const { clipNorm, memory, trainable } = this.options;
    const shorten = clipNorm !== null && gradNorm > clipNorm ? clipNorm / gradNorm : 1;
    this.isLost = true;
    await this.there.update(shorten / mean.items, learningRate);
    this.isLost = false;
    this.isAhead = true;
    memory.changed(trainable);
    return { ...result, applied: true };
  }

  /** The mean loss and metrics of some batches; a forward pass of its own, without gradients. */
  async evaluate(batches: readonly Batch[]): Promise<Evaluation> {
    const program = await (this.forward ??= Program.create(this.options, false));
    const sums: Sums[] = [];
    for (const batch of batches) sums.push(await program.run(batch));
    return meanOver(this.options.objective, batches, sums);
  }

  /**
   * Brings the trained parameters' arrays and the optimizer's moments up to date.
   * @throws InternalError when they were lost: to an update that failed, or with a release that could not fetch them
   */
  async fetch(): Promise<void> {
    const { memory, trainable, optimizer } = this.options;
    if (!this.isAhead) return;
    if (this.isLost) throw new InternalError('what was trained on the device is lost: it could not be fetched');
    await memory.fetch(trainable);
    await this.there.fetch(optimizer);
    this.isAhead = false;
  }

  /** Operators of the step that the device left to the CPU, with their number: each costs a trip there and back. */
  leftToCpu(): Readonly<Record<string, number>> {
    return this.program.leftToCpu();
  }

  /** Fetches what the device alone knows, then frees sessions and memory there. */
  async release(): Promise<void> {
    const { memory } = this.options;
    // One that could not be made has nothing to release.
    const made = [await this.accumulation?.catch(() => null), await this.forward?.catch(() => null)];
    const parameters = { release: () => memory.letGo(allParameters(this.options)) };
    const held = [this.program, this.there, ...made.filter((one) => one != null), parameters];
    await holding(held, () => this.fetch().finally(() => (this.isLost = true)));
  }

  private async accumulate(batch: Batch, isFirst: boolean): Promise<Sums> {
    if (isFirst) return this.program.run(batch, this.there.gradients.tensors);
    const { part, run } = await (this.accumulation ??= this.openAccumulation());
    const sums = await this.program.run(batch, part.tensors);
    await run.run();
    return sums;
  }

  private openAccumulation(): Promise<Accumulation> {
    const { runtime, trainable } = this.options;
    return openAccumulation(runtime, trainable, this.there.gradients);
  }
}

const allParameters = <Batch>({ frozen, trainable }: ProgramOptions<Batch>): FrozenSet =>
  new Map([...(frozen ?? []), ...trainable]);
