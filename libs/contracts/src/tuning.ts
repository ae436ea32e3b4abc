import { z } from 'zod';

const count = (value: number) => z.number().int().min(0).default(value);
const positive = (value: number) => z.number().positive().default(value);

/** LoRA, Hu et al. 2021 (https://arxiv.org/abs/2106.09685). */
export const loraConfig = z.object({
  rank: z.number().int().min(1).max(256).default(16).describe('Inner width of the two factors.'),
  alpha: positive(32).describe('Scale: the update is multiplied by alpha / rank.'),
  targets: z
    .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
    .min(1)
    .default(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'])
    .describe('Projections that get an adapter.'),
});

export const sftConfig = z.object({
  epochs: positive(6).describe('Passes over the demonstrations.'),
  max_steps: count(400).describe('Most optimizer steps; 0 = no limit.'),
  learning_rate: positive(1e-3).describe('Peak of the schedule.'),
  batch_size: z.number().int().min(1).default(16).describe('Sequences a step.'),
  replay_share: z
    .number()
    .min(0)
    .max(0.95)
    .default(0.5)
    .describe('Share of each batch taken from replayed general tasks, against forgetting.'),
});

export const rewardConfig = z.object({
  epochs: positive(8).describe('Passes over the preference pairs.'),
  max_steps: count(200).describe('Most optimizer steps; 0 = no limit.'),
  learning_rate: positive(1e-3).describe('Peak of the schedule.'),
  batch_size: z.number().int().min(1).default(16).describe('Pairs a step.'),
  min_accuracy: z
    .number()
    .min(0)
    .max(1)
    .default(0.65)
    .describe('Held-out accuracy below which PPO is skipped (InstructGPT: people agree on 73 %).'),
});

/**
 * PPO as in InstructGPT (https://arxiv.org/abs/2203.02155) and Schulman et al. 2017. Rollouts are sampled at temperature
 * 1, and no setting changes it: the ratio π/π_old compares with the distribution that was sampled from.
 */
export const ppoConfig = z.object({
  iterations: count(8).describe('Rounds of rollout and update.'),
  rollouts_per_iteration: z.number().int().min(2).default(32).describe('Answers sampled a round.'),
  max_answer_tokens: z.number().int().min(1).default(48).describe('Longest sampled answer.'),
  minibatches: z.number().int().min(1).default(2).describe('Optimizer steps an epoch of a round.'),
  ppo_epochs: z.number().int().min(1).default(2).describe('Passes over one round’s rollouts.'),
  learning_rate: positive(2e-4),
  clip_range: positive(0.2).describe('Ratio clip.'),
  value_clip_range: positive(0.2).describe('Clip of the value update.'),
  value_coef: positive(0.1).describe('Weight of the value loss.'),
  gamma: z.number().min(0).max(1).default(1).describe('Discount.'),
  gae_lambda: z.number().min(0).max(1).default(0.95).describe('λ of generalised advantage estimation.'),
  kl_coef: z.number().min(0).default(0.05).describe('β, the price of one nat away from the reference.'),
  kl_budget: positive(8).describe('Mean KL of an answer (nats) at which the run stops.'),
  ptx_coef: z.number().min(0).default(0.5).describe('γ, weight of the supervised loss mixed in.'),
  missing_eos_penalty: z.number().min(0).default(1).describe('Taken from the reward of an answer that did not end.'),
});

export const gateConfig = z.object({
  min_win_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Reward model’s win rate of the candidate on held-out prompts.'),
  max_suite_drop: z.number().min(0).max(1).default(0.02).describe('Most the task suite’s exact match may fall.'),
  max_heldout_loss_rise: z
    .number()
    .min(0)
    .default(0)
    .describe('Most the loss on held-out demonstrations may rise (nats a token).'),
  max_kl: positive(150).describe(
    'Most KL of an answer to the live model (nats), on held-out prompts. What people teach moves answers by tens of nats; this catches runaways.',
  ),
  suite_examples_per_family: z.number().int().min(1).default(4),
});

/** What a training job is told. Every stage may be left out; the order is fixed. */
export const tuningJobConfig = z.object({
  stages: z
    .array(z.enum(['sft', 'reward', 'ppo']))
    .min(1)
    .default(['sft', 'reward', 'ppo']),
  seed: z.number().int().min(0).max(0xffffffff).default(17),
  heldout_share: z.number().min(0.05).max(0.5).default(0.2).describe('Share of conversations kept for measuring.'),
  max_rows_per_user: z.number().int().min(1).default(200).describe('Most rows one user may put into the dataset.'),
  lora: loraConfig.prefault({}),
  sft: sftConfig.prefault({}),
  reward: rewardConfig.prefault({}),
  ppo: ppoConfig.prefault({}),
  gate: gateConfig.prefault({}),
});
export type TuningJobConfig = z.output<typeof tuningJobConfig>;
export type TuningStage = TuningJobConfig['stages'][number];

/** POST /api/tuning/jobs */
export const createTuningJobRequest = z.object({
  config: tuningJobConfig.prefault({}),
  note: z.string().max(500).optional(),
});
export type CreateTuningJobRequest = z.output<typeof createTuningJobRequest>;

export type TuningJobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
export type TuningTrigger = 'button' | 'threshold' | 'schedule';

/** GET /api/tuning/jobs, newest first; GET /api/tuning/jobs/{id}; POST /api/tuning/jobs/{id}/cancel */
export interface TuningJobView {
  id: string;
  object: 'tuning.job';
  status: TuningJobStatus;
  trigger: TuningTrigger;
  config: TuningJobConfig;
  /** Where it is: stage, step of num_steps, estimated seconds left. */
  progress: { stage: string; step: number; num_steps: number; eta_seconds: number | null } | null;
  error: string | null;
  checkpoint_id: string | null;
  num_demonstrations: number;
  num_preferences: number;
  created: number;
  started: number | null;
  finished: number | null;
}
/** GET /api/tuning/jobs/{id}/events */
export interface TuningEventView {
  seq: number;
  level: 'info' | 'warn' | 'error';
  message: string;
  created: number;
}
/** GET /api/tuning/jobs/{id}/metrics?after=<seq>: one row a step; `values` holds the stage's own numbers (loss, grad_norm, lr, reward_mean, kl …). */
export interface TuningMetricView {
  seq: number;
  stage: string;
  step: number;
  values: Record<string, number>;
  created: number;
}
/** GET /api/tuning/jobs/{id}/rows: the dataset with its lineage. */
export interface DatasetRowView {
  id: string;
  kind: 'demonstration' | 'preference';
  split: 'train' | 'heldout';
  feedback_id: string;
  prompt: { role: string; content: string }[];
  chosen: string;
  rejected: string | null;
}
