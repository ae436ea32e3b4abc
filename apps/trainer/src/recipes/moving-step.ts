import { type DeviceMemory, openTrainStep, type OpenStepOptions, type TrainingStep } from '@attune/training';

export type WorkingStep<Batch> = Pick<TrainingStep<Batch>, 'run' | 'fetch' | 'release'>;

type Options<Batch> = OpenStepOptions<Batch> & { readonly memory: DeviceMemory };

/**
 * A step on a device until that is given up, then on the CPU: after a failure of its own, of which the CPU makes the same
 * update, for a pass that fails has changed no weights; or after one of whoever else works there.
 */
export class MovingStep<Batch> implements WorkingStep<Batch> {
  private constructor(
    private readonly options: Options<Batch>,
    private readonly signal: AbortSignal,
    private step: WorkingStep<Batch>,
    private isThere: boolean,
  ) {}

  /** @throws what the judge of the device's failures makes of one, where the CPU is not to take over */
  static async open<Batch>(options: Options<Batch>, signal: AbortSignal): Promise<MovingStep<Batch>> {
    try {
      return new MovingStep(options, signal, await openTrainStep(options), true);
    } catch (error) {
      if (signal.aborted) throw error;
      await options.memory.giveUp(error);
      return new MovingStep(options, signal, await openOnCpu(options), false);
    }
  }

  /**
   * @throws what the judge of the device's failures makes of one, where the CPU is not to take over or cannot: a device that
   *   fails in an update, or can no longer be read, takes with it what it has trained
   */
  async run(...given: Parameters<WorkingStep<Batch>['run']>): ReturnType<WorkingStep<Batch>['run']> {
    if (this.isThere && this.options.memory.isGivenUp) await this.moveToCpu();
    if (!this.isThere) return this.step.run(...given);
    try {
      return await this.step.run(...given);
    } catch (error) {
      await this.leave(error);
      return this.step.run(...given);
    }
  }

  fetch(): Promise<void> {
    return this.step.fetch();
  }

  release(): Promise<void> {
    return this.step.release();
  }

  private async leave(failure: unknown): Promise<void> {
    if (this.signal.aborted) throw failure;
    const isLost = await this.step.fetch().then(
      () => false,
      () => true,
    );
    await this.options.memory.giveUp(failure, isLost);
    await this.moveToCpu();
  }

  private async moveToCpu(): Promise<void> {
    const there = this.step;
    await there.fetch();
    this.step = await openOnCpu(this.options);
    this.isThere = false;
    // What a device that failed cannot even free goes with the process.
    await there.release().catch(() => undefined);
  }
}

const openOnCpu = <Batch>(options: Options<Batch>): Promise<TrainingStep<Batch>> =>
  openTrainStep({ ...options, memory: undefined });
