import { z } from 'zod';
import { grader } from '../graders.js';
import { count, positive } from './numbers.js';

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
