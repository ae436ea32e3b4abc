import type { TuningJobConfig } from '@attune/contracts';
import type { ModelConfig } from '@attune/models';
import { InvalidRequestError } from '@attune/platform';
import type { TuningForm } from '@attune/training';
import { estimateBesideDevice, estimateMemory, estimateOnDevice } from '../model/memory-estimate.js';
import { type JobSizes, memoryPlan } from './memory-plan.js';

export interface MemoryQuestion extends JobSizes {
  readonly model: ModelConfig;
  /** Most bytes; Infinity = no limit. */
  readonly allowed: number;
  /** Where the graphs run: on a device for sure, on one that may yet be left for the CPU, or there (the default). */
  readonly device?: 'named' | 'found' | undefined;
}

/** What a job is expected to need, in bytes. */
export interface MemoryNeeded {
  /** Of this machine's own memory; with a device that may be left, of both together. */
  readonly here: number;
  /** On the device; 0 without one. */
  readonly onDevice: number;
}

/**
 * Refuses a job that would not fit, before it has begun, and says what would help.
 * @returns what it is expected to need
 * @throws InvalidRequestError
 */
export function refuseTooLarge(question: MemoryQuestion): MemoryNeeded {
  const needed = neededHere(question);
  const onDevice = question.device ? estimateOnDevice(question.model, memoryPlan(question)) : 0;
  if (needed <= question.allowed) return { here: needed, onDevice };
  throw new InvalidRequestError(
    `This job needs about ${gigabytes(needed)} GB, TRAINER_MEMORY_GB allows ${gigabytes(question.allowed)}: ` +
      `${remedies(question, needed).join(', or ')}`,
  );
}

function neededHere(question: MemoryQuestion): number {
  const estimate = question.device === 'named' ? estimateBesideDevice : estimateMemory;
  return estimate(question.model, memoryPlan(question));
}

/** What makes the job smaller, each with what it would then need. */
function remedies(question: MemoryQuestion, needed: number): string[] {
  const { config, form } = question;
  const loraForm: TuningForm = { kind: 'lora', ...config.lora };
  const smaller = (change: Partial<TuningJobConfig>, changedForm = form) =>
    neededHere({ ...question, form: changedForm, config: { ...config, ...change } });
  const fewer = { micro_batch: 1, ppo: { ...config.ppo, minibatches: config.ppo.rollouts_per_iteration } };
  const options: [string, number][] = [
    ['lower micro_batch (for PPO: raise ppo.minibatches)', smaller(fewer)],
    ['turn on activation_checkpointing', smaller({ activation_checkpointing: true })],
    ...(form.kind === 'full' ? [['use form "lora"', smaller({ form: 'lora' }, loraForm)] as [string, number]] : []),
  ];
  const helpful = options.filter(([, bytes]) => bytes < needed * 0.95);
  if (helpful.length === 0) return ['use a smaller model or allow more'];
  return helpful.map(([what, bytes]) => `${what} (down to ${gigabytes(bytes)} GB)`);
}

export const gigabytes = (bytes: number): string => String(Number((bytes / 1e9).toPrecision(2)));
