import type { TuningJobConfig } from '@attune/contracts';
import type { ModelConfig } from '@attune/models';
import { InvalidRequestError } from '@attune/platform';
import type { TuningForm } from '@attune/training';
import { estimateMemory } from '../model/memory-estimate.js';
import { type JobSizes, memoryPlan } from './memory-plan.js';

export interface MemoryQuestion extends JobSizes {
  readonly model: ModelConfig;
  /** Most bytes; Infinity = no limit. */
  readonly allowed: number;
}

/**
 * Refuses a job that would not fit, before it has begun, and says what would help.
 * @returns what it is expected to need, in bytes
 * @throws InvalidRequestError
 */
export function refuseTooLarge(question: MemoryQuestion): number {
  const needed = estimateMemory(question.model, memoryPlan(question));
  if (needed <= question.allowed) return needed;
  throw new InvalidRequestError(
    `This job needs about ${gigabytes(needed)} GB, TRAINER_MEMORY_GB allows ${gigabytes(question.allowed)}: ` +
      `${remedies(question, needed).join(', or ')}`,
  );
}

/** What makes the job smaller, each with what it would then need. */
function remedies(question: MemoryQuestion, needed: number): string[] {
  const { config, form, model } = question;
  const loraForm: TuningForm = { kind: 'lora', ...config.lora };
  const smaller = (change: Partial<TuningJobConfig>, changedForm = form) =>
    estimateMemory(model, memoryPlan({ ...question, form: changedForm, config: { ...config, ...change } }));
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

const gigabytes = (bytes: number): string => String(Number((bytes / 1e9).toPrecision(2)));
