import { systemClock } from '@attune/platform';

/** What training took: other programs lengthen the first, and hardly the second. */
export interface TrainingTime {
  readonly train_seconds: number;
  /** Processor time of this process, all its threads together. */
  readonly train_cpu_seconds: number;
}

/** Does the training, and notes what it took. */
export async function timed<Result>(train: () => Promise<Result>): Promise<{ result: Result; time: TrainingTime }> {
  const startedMs = systemClock.monotonicMs();
  const before = process.cpuUsage();
  const result = await train();
  const { user, system } = process.cpuUsage(before);
  const time = {
    train_seconds: (systemClock.monotonicMs() - startedMs) / 1000,
    train_cpu_seconds: (user + system) / 1e6,
  };
  return { result, time };
}
