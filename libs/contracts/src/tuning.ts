import { z } from 'zod';
import { grader } from './graders.js';

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

/** How the trained part is attached to the model. */
export const tuningForms = ['lora', 'full', 'bottleneck', 'soft-prompt'] as const;
export type TuningFormName = (typeof tuningForms)[number];

/** Adapter layers, Houlsby et al. 2019 (https://arxiv.org/abs/1902.00751). */
export const bottleneckConfig = z.object({
  width: z.number().int().min(1).max(1024).default(32).describe('Inner width of each adapter layer.'),
});

/** Prompt tuning, Lester et al. 2021 (https://arxiv.org/abs/2104.08691). */
export const softPromptConfig = z.object({
  tokens: z.number().int().min(1).max(256).default(8).describe('Virtual tokens put before every prompt.'),
  rate_scale: positive(30).describe('What the learning rate of a stage is multiplied by for virtual tokens.'),
  init_text: z
    .string()
    .max(2000)
    .optional()
    .describe('Text whose embeddings the virtual tokens start from; left out: random words of the vocabulary.'),
});

const replayCoef = z
  .number()
  .min(0)
  .default(1)
  .describe(
    'Weight of the supervised loss on replayed general tasks, half as many as the batch holds, against forgetting; 0 replays none.',
  );

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
  center_coef: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Weight of the squared sum of both scores, which keeps them near 0 (Eisenstein et al. 2023, eq. 2: 0.01).',
    ),
  thumb_share: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.25)
    .describe('Share of each batch of unpaired thumbs, read as a label of the score’s sign; 0 leaves them out.'),
  body: z
    .enum(['tuned', 'frozen'])
    .default('tuned')
    .describe(
      'Whether the model under the head learns too; frozen: a third of the time, and no pair is learnt by heart.',
    ),
  pooling: z
    .enum(['last', 'sum'])
    .default('last')
    .describe('Where the score is read: on the answer’s last token, or on each of its tokens, added up.'),
  ngrams: z
    .number()
    .int()
    .min(0)
    .max(4)
    .default(0)
    .describe(
      'Longest run of tokens with a weight of its own beside the head: words the model hardly knows. 0 = none.',
    ),
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
  learning_rate: positive(2e-4).describe('Rate of every update; there is no schedule.'),
  clip_range: positive(0.2).describe('Ratio clip.'),
  value_clip_range: positive(0.2).describe('Clip of the value update.'),
  value_coef: positive(0.1).describe('Weight of the value loss.'),
  gamma: z.number().min(0).max(1).default(1).describe('Discount.'),
  gae_lambda: z.number().min(0).max(1).default(0.95).describe('λ of generalised advantage estimation.'),
  kl_coef: z.number().min(0).default(0.05).describe('β, the price of one nat away from the reference.'),
  kl_target: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Nats an answer that β is steered towards (Ziegler et al. 2019, section 2.2); null keeps β fixed.'),
  kl_budget: positive(8).describe('Mean KL of an answer (nats) at which the run stops.'),
  ptx_coef: z.number().min(0).default(0.5).describe('γ, weight of the supervised loss mixed in.'),
  missing_eos_penalty: z.number().min(0).default(1).describe('Taken from the reward of an answer that did not end.'),
});

/** Direct preference optimisation and its neighbours (https://arxiv.org/abs/2305.18290, 2310.12036). */
export const dpoConfig = z.object({
  loss: z
    .enum(['sigmoid', 'ipo', 'cdpo'])
    .default('sigmoid')
    .describe('sigmoid: DPO; ipo: squared loss that does not saturate; cdpo: DPO that doubts its labels.'),
  beta: positive(0.1).describe('How strongly the policy is held to the reference (IPO calls it τ).'),
  label_smoothing: z
    .number()
    .min(0)
    .max(0.49)
    .default(0.1)
    .describe('Probability that a label is wrong, with loss `cdpo` only.'),
  sft_coef: z
    .number()
    .min(0)
    .default(1)
    .describe('α, weight of the chosen answer’s NLL a token (Pang et al. 2024, eq. 1: 1; TRL’s rpo_alpha); 0: none.'),
  replay_coef: replayCoef,
  epochs: positive(3).describe('Passes over the preference pairs.'),
  max_steps: count(200).describe('Most optimizer steps; 0 = no limit.'),
  learning_rate: positive(1e-3).describe('Peak of the schedule.'),
  batch_size: z.number().int().min(1).default(16).describe('Pairs a step.'),
  kl_budget: positive(50).describe('Mean KL of a sampled answer to the reference (nats) at which it stops.'),
});

/** Kahneman-Tversky optimisation, for thumbs that have no pair (https://arxiv.org/abs/2402.01306). */
export const ktoConfig = z.object({
  beta: positive(0.1).describe('How strongly the policy is held to the reference.'),
  desirable_weight: positive(1).describe('λ_D, weight of answers people liked.'),
  undesirable_weight: positive(1).describe('λ_U, weight of answers people did not like.'),
  sft_coef: z.number().min(0).default(0).describe('Weight of a liked answer’s NLL a token; 0: none.'),
  replay_coef: replayCoef,
  epochs: positive(3).describe('Passes over the thumbs.'),
  max_steps: count(200).describe('Most optimizer steps; 0 = no limit.'),
  learning_rate: positive(1e-3).describe('Peak of the schedule.'),
  batch_size: z.number().int().min(2).default(16).describe('Thumbs a step.'),
  kl_budget: positive(50).describe('Mean KL of a sampled answer to the reference (nats) at which it stops.'),
});

/** Who pays an answer where a program can tell: the bundled tasks’ own checks, or a pattern. */
export const graderConfig = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tasks').describe('Exact match on generated tasks.'),
    families: z.array(z.string()).default([]).describe('Names of task families; none: every family that is trained.'),
  }),
  z.object({
    kind: z.literal('regex').describe('1 where the answer matches, else 0; the prompts are the dataset’s.'),
    pattern: z.string().min(1).max(500),
    flags: z
      .string()
      .regex(/^[imsu]*$/)
      .default(''),
  }),
  z.object({
    kind: z.literal('rows').describe('A grader of the fine-tuning API, over the rows of a file: {messages, …fields}.'),
    grader,
    file_id: z.string(),
    user_id: z.string(),
  }),
]);
export type GraderConfig = z.output<typeof graderConfig>;

/** Group-relative policy optimisation and REINFORCE leave-one-out (https://arxiv.org/abs/2402.03300, 2402.14740). */
export const grpoConfig = z.object({
  advantage: z
    .enum(['grpo', 'rloo'])
    .default('grpo')
    .describe('grpo: score less the group’s mean, over its deviation; rloo: less the mean of the others.'),
  grader: graderConfig.prefault({ kind: 'tasks' }),
  iterations: count(10).describe('Rounds of rollout and update.'),
  prompts_per_iteration: z.number().int().min(1).default(8).describe('Prompts a round.'),
  group_size: z.number().int().min(2).default(4).describe('Answers sampled to each prompt.'),
  max_answer_tokens: z.number().int().min(1).default(48).describe('Longest sampled answer.'),
  minibatches: z.number().int().min(1).default(1).describe('Optimizer steps a round.'),
  learning_rate: positive(2e-4).describe('Rate of every update; there is no schedule.'),
  clip_range: positive(0.2).describe('Ratio clip.'),
  kl_coef: z.number().min(0).default(0.04).describe('β of the KL term in the loss.'),
  kl_budget: positive(8).describe('Mean KL of an answer (nats) at which the run stops.'),
  missing_eos_penalty: z.number().min(0).default(0.5).describe('Taken from the score of an answer that did not end.'),
});

/** Where a job's rows come from, beside approved feedback. */
export const dataConfig = z.object({
  feedback: z.boolean().default(true).describe('Whether approved feedback is trained on.'),
  files: z
    .array(
      z.object({
        /** A file below DATA_DIR/datasets. */
        path: z.string().min(1).max(500).optional(),
        /** A file of /v1/files, and whose it is. */
        file_id: z.string().optional(),
        user_id: z.string().optional(),
        split: z.enum(['auto', 'train', 'heldout']).default('auto').describe('auto keeps a share for measuring.'),
      }),
    )
    .max(64)
    .default([])
    .describe('Files of training rows; what format a file has is seen from its rows.'),
  mixture: z
    .object({
      cap_per_task: count(0).describe('Most rows of one task (Wei et al. 2021 cap at 30,000); 0 = no cap.'),
      temperature: z
        .number()
        .min(1)
        .max(100)
        .default(1)
        .describe('T of temperature mixing, rows^(1/T) (Raffel et al. 2020): 1 in proportion, large for equal shares.'),
      max_rows: count(0).describe('Most rows drawn from the files of tasks; 0 = as many as there are.'),
    })
    .prefault({}),
  rationale: z
    .enum(['keep', 'strip'])
    .default('keep')
    .describe('Whether worked reasoning before a final answer stays in the answer to learn.'),
});

/** Constitutional AI (https://arxiv.org/abs/2212.08073). */
export const aiFeedbackConfig = z.object({
  constitution: z
    .string()
    .max(500)
    .default('default')
    .describe('`default`, or a JSON or Markdown file below DATA_DIR/constitutions.'),
  judge: z
    .enum(['self', 'endpoint'])
    .default('self')
    .describe('self: the weights that are trained on; endpoint: the OpenAI-compatible server JUDGE_URL names.'),
  revisions: count(0).describe('Rounds of critique and revision of an answer; 0 makes no demonstrations this way.'),
  preference_share: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe('Share of the training preferences that a judge labels; 0 asks no judge.'),
  max_prompts: z.number().int().min(1).max(10_000).default(64).describe('Most prompts that are answered for this.'),
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

/** Every stage, in the order in which those of a job run. */
export const tuningStages = ['sft', 'reward', 'dpo', 'kto', 'ppo', 'grpo'] as const;

/** What a training job is told. Every stage may be left out; the order is fixed. */
export const tuningJobConfig = z.object({
  stages: z.array(z.enum(tuningStages)).min(1).default(['sft', 'reward', 'ppo']),
  form: z
    .enum(tuningForms)
    .default('lora')
    .describe('What is trained: adapters, layers, virtual tokens, or all weights.'),
  start: z
    .string()
    .max(100)
    .default('live')
    .describe('Weights to go on from: `live`, `base`, or the id of a checkpoint of the same form.'),
  promotion: z
    .enum(['auto', 'never'])
    .default('auto')
    .describe('never: a checkpoint that passes the gate waits, and answers only requests that name it.'),
  seed: z.number().int().min(0).max(0xffffffff).default(17),
  heldout_share: z.number().min(0.05).max(0.5).default(0.2).describe('Share of conversations kept for measuring.'),
  max_rows_per_user: z.number().int().min(1).default(200).describe('Most rows one user may put into the dataset.'),
  micro_batch: count(0).describe('Sequences that go through the model at once; more are accumulated. 0 = all.'),
  activation_checkpointing: z
    .boolean()
    .default(false)
    .describe('Computes activations again in the backward pass: less memory, about a fifth more time.'),
  data: dataConfig.prefault({}),
  ai_feedback: aiFeedbackConfig.prefault({}),
  lora: loraConfig.prefault({}),
  bottleneck: bottleneckConfig.prefault({}),
  soft_prompt: softPromptConfig.prefault({}),
  sft: sftConfig.prefault({}),
  reward: rewardConfig.prefault({}),
  ppo: ppoConfig.prefault({}),
  dpo: dpoConfig.prefault({}),
  kto: ktoConfig.prefault({}),
  grpo: grpoConfig.prefault({}),
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

/** `paused`: held until a person resumes it; its state is kept. */
export type TuningJobStatus = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';
export type TuningTrigger = 'button' | 'threshold' | 'schedule' | 'api';

/** GET /api/tuning/jobs, newest first; GET /api/tuning/jobs/{id}; POST /api/tuning/jobs/{id}/{cancel,pause,resume} */
export interface TuningJobView {
  id: string;
  object: 'tuning.job';
  status: TuningJobStatus;
  trigger: TuningTrigger;
  config: TuningJobConfig;
  /** Where it is: stage, step of num_steps, estimated seconds left. */
  progress: {
    stage: string;
    step: number;
    num_steps: number;
    eta_seconds: number | null;
    /** Of the last steps; left out by stages that train on no tokens. */
    tokens_per_second?: number | null;
    loss?: number | null;
  } | null;
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
/** A demonstration is imitated, a preference compares two answers, a thumb judges one; a graded row has no answer yet. */
export type DatasetRowKind = 'demonstration' | 'preference' | 'thumb' | 'graded';
/** `file`: an uploaded or local file; `constitution`: written or judged by a model under a constitution. */
export type DatasetRowOrigin = 'feedback' | 'file' | 'constitution';

/** GET /api/tuning/jobs/{id}/rows: the dataset with its lineage. */
export interface DatasetRowView {
  id: string;
  kind: DatasetRowKind;
  split: 'train' | 'heldout';
  /** Null for rows that no person's feedback stands behind. */
  feedback_id: string | null;
  origin: DatasetRowOrigin;
  /** Of a thumb: whether the answer was liked. */
  label: boolean | null;
  prompt: { role: string; content: string }[];
  /** Empty for a graded row. */
  chosen: string;
  rejected: string | null;
  /** Of a graded row: the fields its grader reads beside the answer. */
  item: Record<string, unknown> | null;
}
