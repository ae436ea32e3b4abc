import { z } from 'zod';
import { count } from './numbers.js';

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
