import { z } from 'zod';
import { positive } from './numbers.js';

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
