import { z } from 'zod';
import { count, positive } from './numbers.js';

const replayCoef = z
  .number()
  .min(0)
  .default(1)
  .describe(
    'Weight of the supervised loss on replayed general tasks, half as many as the batch holds, against forgetting; 0 replays none.',
  );

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
