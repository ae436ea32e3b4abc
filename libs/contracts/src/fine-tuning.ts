import { z } from 'zod';
import { grader } from './graders.js';
import { metadata, pageQuery, type Metadata } from './paging.js';
import { tuningForms } from './tuning/forms.js';

const auto = z.literal('auto');
const count = auto.or(z.number().int().min(1)).default('auto');
const multiplier = auto.or(z.number().positive()).default('auto');

const shared = {
  batch_size: count.describe('Rows a step.'),
  learning_rate_multiplier: multiplier.describe('Times the learning rate of the method.'),
  n_epochs: count.describe('Passes over the rows.'),
  form: z.enum(tuningForms).default('lora').describe('Attune’s addition: what is trained.'),
};
const hyperparameters = z.strictObject(shared);
const withBeta = z.strictObject({ ...shared, beta: multiplier.describe('Hold on the reference model.') });
const reinforcementHyperparameters = z.strictObject({
  ...shared,
  compute_multiplier: multiplier.describe('Times the answers sampled to each prompt.'),
  eval_interval: auto.default('auto').describe('The candidate is measured once, at the end.'),
  eval_samples: auto.default('auto'),
  reasoning_effort: z.literal('default').default('default'),
});

/** `ppo`, `kto` and `reward_model` are Attune's additions, in the style of the others. */
export const fineTuningMethod = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('supervised'),
    supervised: z.strictObject({ hyperparameters: hyperparameters.prefault({}) }).prefault({}),
  }),
  z.strictObject({
    type: z.literal('dpo'),
    dpo: z.strictObject({ hyperparameters: withBeta.prefault({}) }).prefault({}),
  }),
  z.strictObject({
    type: z.literal('reinforcement'),
    reinforcement: z.strictObject({ grader, hyperparameters: reinforcementHyperparameters.prefault({}) }),
  }),
  z.strictObject({
    type: z.literal('ppo'),
    ppo: z.strictObject({ hyperparameters: withBeta.prefault({}) }).prefault({}),
  }),
  z.strictObject({
    type: z.literal('kto'),
    kto: z.strictObject({ hyperparameters: withBeta.prefault({}) }).prefault({}),
  }),
  z.strictObject({
    type: z.literal('reward_model'),
    reward_model: z.strictObject({ hyperparameters: hyperparameters.prefault({}) }).prefault({}),
  }),
]);
export type FineTuningMethod = z.output<typeof fineTuningMethod>;

/** POST /v1/fine_tuning/jobs, https://platform.openai.com/docs/api-reference/fine-tuning/create */
export const createFineTuningJobRequest = z
  .strictObject({
    model: z.string(),
    training_file: z.string(),
    validation_file: z.string().nullish(),
    method: fineTuningMethod.optional(),
    hyperparameters: hyperparameters
      .omit({ form: true })
      .optional()
      .describe('The old place of the supervised method’s hyperparameters.'),
    seed: z.number().int().min(0).max(0xffffffff).nullish(),
    suffix: z.string().min(1).max(64).nullish(),
    metadata: metadata.nullish(),
    integrations: z
      .array(z.never('integrations are not supported; read the metrics from the job’s events'))
      .max(0)
      .nullish(),
  })
  .refine((body) => body.method === undefined || body.hyperparameters === undefined, {
    message: 'put the hyperparameters under `method`, or leave `method` out',
    path: ['hyperparameters'],
  });
export type CreateFineTuningJobRequest = z.output<typeof createFineTuningJobRequest>;

export const listFineTuningJobsQuery = pageQuery().extend({
  metadata: z.record(z.string(), z.string()).optional(),
});
export type ListFineTuningJobsQuery = z.output<typeof listFineTuningJobsQuery>;

const trueText = z.enum(['true', 'false']).transform((text) => text === 'true');
/** `stream=true`: Attune's addition, events as they happen, by server-sent events until the job ends. */
export const listFineTuningEventsQuery = pageQuery().extend({ stream: trueText.optional() });
export type ListFineTuningEventsQuery = z.output<typeof listFineTuningEventsQuery>;
export const listFineTuningCheckpointsQuery = pageQuery(100, 10);

/** Projects are users, with all their keys, or single keys. */
export const createCheckpointPermissionsRequest = z.strictObject({
  project_ids: z.array(z.string().max(100)).min(1).max(100).describe('Users (`user_…`) or keys (`key_…`).'),
});
export type CreateCheckpointPermissionsRequest = z.output<typeof createCheckpointPermissionsRequest>;
export const listCheckpointPermissionsQuery = pageQuery(100, 10).extend({
  order: z.enum(['ascending', 'descending']).default('descending'),
  project_id: z.string().optional(),
});
export type ListCheckpointPermissionsQuery = z.output<typeof listCheckpointPermissionsQuery>;

export interface CheckpointPermissionObject {
  id: string;
  object: 'checkpoint.permission';
  created_at: number;
  project_id: string;
}
export interface CheckpointPermissionDeleted {
  id: string;
  object: 'checkpoint.permission';
  deleted: true;
}

export type FineTuningStatus =
  'validating_files' | 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';

export interface FineTuningJobObject {
  id: string;
  object: 'fine_tuning.job';
  created_at: number;
  finished_at: number | null;
  estimated_finish: number | null;
  model: string;
  /** How to ask for it: `model` of a chat request. */
  fine_tuned_model: string | null;
  organization_id: string;
  status: FineTuningStatus;
  training_file: string;
  validation_file: string | null;
  hyperparameters: {
    n_epochs: number | 'auto';
    batch_size: number | 'auto';
    learning_rate_multiplier: number | 'auto';
  };
  method: FineTuningMethod;
  /** Ids of files with the metrics of every step, as CSV. */
  result_files: string[];
  trained_tokens: number | null;
  error: { code: string; message: string; param: string | null } | null;
  seed: number;
  user_provided_suffix: string | null;
  integrations: [];
  metadata: Metadata | null;
}
export interface FineTuningEventObject {
  id: string;
  object: 'fine_tuning.job.event';
  created_at: number;
  level: 'info' | 'warn' | 'error';
  message: string;
  type: 'message' | 'metrics';
  data: Record<string, unknown>;
}
export interface FineTuningCheckpointObject {
  id: string;
  object: 'fine_tuning.job.checkpoint';
  created_at: number;
  fine_tuned_model_checkpoint: string;
  fine_tuning_job_id: string;
  step_number: number;
  metrics: { step: number; train_loss?: number; valid_loss?: number; full_valid_loss?: number };
}
