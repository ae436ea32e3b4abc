import { z } from 'zod';
import { positive } from './numbers.js';

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
