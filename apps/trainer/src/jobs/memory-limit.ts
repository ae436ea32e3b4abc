import type { TuningJobConfig } from '@attune/contracts';
import type { ModelConfig } from '@attune/models';
import { InvalidRequestError } from '@attune/platform';
import type { TuningForm } from '@attune/training';
import { estimateMemory, type MemoryPlan, type StepShape } from '../model/memory-estimate.js';

export interface MemoryQuestion {
  readonly model: ModelConfig;
  readonly config: TuningJobConfig;
  /** What is trained, which may be its parent's form. */
  readonly form: TuningForm;
  /** The longest row, prompt and answer together. */
  readonly longestRow: number;
  readonly sampler: MemoryPlan['sampler'];
  /** Most bytes; Infinity = no limit. */
  readonly allowed: number;
}

/**
 * Refuses a job that would not fit, before it has begun, and says what would help.
 * @returns what it is expected to need, in bytes
 * @throws InvalidRequestError
 */
export function refuseTooLarge(question: MemoryQuestion): number {
  const needed = estimateMemory(question.model, planOf(question));
  if (needed <= question.allowed) return needed;
  throw new InvalidRequestError(
    `This job needs about ${gigabytes(needed)} GB, TRAINER_MEMORY_GB allows ${gigabytes(question.allowed)}: ` +
      `${remedies(question, needed).join(', or ')}`,
  );
}

/** The steps a job's stages make and what it holds beside them. */
export function planOf({ config, form, longestRow, sampler }: MemoryQuestion): MemoryPlan {
  const { micro_batch: micro } = config;
  const stages = new Set(config.stages);
  const step = (
    name: (typeof config.stages)[number],
    batch: number,
    logits: boolean,
    tokens = longestRow,
  ): StepShape[] =>
    stages.has(name) ? [{ sequences: micro > 0 ? Math.min(micro, batch) : batch, tokens, logits }] : [];
  const withAnswer = (tokens: number) => longestRow + tokens;
  const { ppo, grpo } = config;
  return {
    form,
    steps: [
      ...step('sft', config.sft.batch_size, true),
      ...step('reward', 2 * config.reward.batch_size, false),
      ...step('dpo', 2 * config.dpo.batch_size, true),
      ...step('kto', config.kto.batch_size, true),
      ...ppoStep(config, withAnswer(ppo.max_answer_tokens)),
      ...step(
        'grpo',
        Math.ceil((grpo.prompts_per_iteration * grpo.group_size) / grpo.minibatches),
        true,
        withAnswer(grpo.max_answer_tokens),
      ),
    ],
    numReferences: Number(['dpo', 'kto', 'ppo', 'grpo'].some((stage) => stages.has(stage as 'dpo'))),
    numTrained: stages.has('reward') ? 2 : 1,
    activationCheckpointing: config.activation_checkpointing,
    sampler,
  };
}

/** As many supervised sequences beside the answers; PPO's minibatches are what is cut, not its micro-batches. */
function ppoStep({ stages, ppo }: TuningJobConfig, tokens: number): StepShape[] {
  const answers = Math.ceil(ppo.rollouts_per_iteration / ppo.minibatches);
  const sequences = ppo.ptx_coef > 0 ? 2 * answers : answers;
  return stages.includes('ppo') ? [{ sequences, tokens, logits: true }] : [];
}

/** What makes the job smaller, each with what it would then need. */
function remedies(question: MemoryQuestion, needed: number): string[] {
  const { config, form, model } = question;
  const loraForm: TuningForm = { kind: 'lora', ...config.lora };
  const smaller = (change: Partial<TuningJobConfig>, changedForm = form) =>
    estimateMemory(model, planOf({ ...question, form: changedForm, config: { ...config, ...change } }));
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
