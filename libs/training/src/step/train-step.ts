import { InternalError, InvalidRequestError } from '@attune/platform';
import { addInto, globalNorm } from '../optimizers/arrays.js';
import type { Optimizer, Trainable } from '../optimizers/optimizer.js';
import { type Evaluation, meanOver } from './mean.js';
import { type Parameter, parameter, type ParameterSet } from './parameters.js';
import { Program, type ProgramOptions, type Sums } from './program.js';

export interface TrainStepOptions<Batch> extends ProgramOptions<Batch> {
  readonly optimizer: Optimizer;
  /** Gradients longer than this are shortened to it (global L2 norm); null leaves them alone. */
  readonly clipNorm: number | null;
}

export interface StepResult extends Evaluation {
  /** Global L2 norm of the mean gradient before clipping. */
  readonly gradNorm: number;
  /** False when the loss or the gradient was not finite: then nothing was changed. */
  readonly applied: boolean;
}

/**
 * One optimizer step at a time: forward and backward on ONNX Runtime, everything after the gradients in TypeScript.
 * One session serves every batch shape. Parameters are shared memory: what the optimizer writes, every other session
 * that was given the same arrays sees.
 */
export class TrainStep<Batch> {
  private readonly gradients: ReadonlyMap<string, Parameter>;
  private scratch: ReadonlyMap<string, Parameter> | null = null;
  private forward: Promise<Program<Batch>> | null = null;

  private constructor(
    private readonly options: TrainStepOptions<Batch>,
    private readonly program: Program<Batch>,
  ) {
    this.gradients = gradientBuffers(options.trainable);
  }

  /** Builds the graph of forward pass, loss and gradients, and a session for it. */
  static async create<Batch>(options: TrainStepOptions<Batch>): Promise<TrainStep<Batch>> {
    return new TrainStep(options, await Program.create(options, true));
  }

  /** Accumulates the gradients of all micro-batches, then updates the parameters once. */
  async run(microBatches: readonly Batch[], learningRate: number): Promise<StepResult> {
    if (microBatches.length === 0) throw new InvalidRequestError('a training step needs at least one micro-batch');
    const sums: Sums[] = [];
    for (const batch of microBatches) sums.push(await this.accumulate(batch, sums.length === 0));
    return this.update(meanOver(this.options.objective, microBatches, sums), learningRate);
  }

  /** The mean loss and metrics of some batches; a forward pass of its own, without gradients. */
  async evaluate(batches: readonly Batch[]): Promise<Evaluation> {
    this.forward ??= Program.create(this.options, false);
    const program = await this.forward;
    const sums: Sums[] = [];
    for (const batch of batches) sums.push(await program.run(batch));
    return meanOver(this.options.objective, batches, sums);
  }

  /** Frees the sessions; parameters and optimizer stay the caller's. */
  release(): void {
    this.program.release();
    void this.forward?.then((program) => program.release());
    this.forward = null;
  }

  private async accumulate(batch: Batch, first: boolean): Promise<Sums> {
    if (first) return this.program.run(batch, this.gradients);
    this.scratch ??= gradientBuffers(this.options.trainable);
    const sums = await this.program.run(batch, this.scratch);
    for (const [name, total] of this.gradients) addInto(total.data, this.scratch.get(name)!.data);
    return sums;
  }

  private async update(mean: Evaluation, learningRate: number): Promise<StepResult> {
    const { optimizer, clipNorm, trainable } = this.options;
    const gradNorm = globalNorm([...this.gradients.values()].map(({ data }) => data)) / mean.items;
    const result = { ...mean, gradNorm };
    if (!Number.isFinite(mean.loss) || !Number.isFinite(gradNorm)) return { ...result, applied: false };
    const shorten = clipNorm !== null && gradNorm > clipNorm ? clipNorm / gradNorm : 1;
    await optimizer.update(pair(trainable, this.gradients), shorten / mean.items, learningRate);
    return { ...result, applied: true };
  }
}

function pair(trainable: ParameterSet, gradients: ReadonlyMap<string, Parameter>): Trainable[] {
  return [...trainable].map(([name, { shape, data }]) => {
    const gradient = gradients.get(name);
    if (!gradient) throw new InternalError(`the parameter "${name}" has no gradient buffer`);
    return { name, shape, value: data, gradient: gradient.data };
  });
}

const gradientBuffers = (trainable: ParameterSet): ReadonlyMap<string, Parameter> =>
  new Map([...trainable].map(([name, { shape }]) => [name, parameter(shape)]));
