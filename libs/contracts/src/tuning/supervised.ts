import { z } from 'zod';
import { count, positive } from './numbers.js';

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
