import { z } from 'zod';
import { aiFeedbackConfig, dataConfig } from './data.js';
import { bottleneckConfig, loraConfig, softPromptConfig, tuningForms } from './forms.js';
import { gateConfig } from './gate.js';
import { count } from './numbers.js';
import { dpoConfig, ktoConfig } from './preferences.js';
import { grpoConfig, ppoConfig } from './reinforcement.js';
import { rewardConfig, sftConfig } from './supervised.js';

/** Every stage, in the order in which those of a job run. */
export const tuningStages = ['sft', 'reward', 'dpo', 'kto', 'ppo', 'grpo'] as const;

/** What a training job is told. Every stage may be left out; the order is fixed. */
export const tuningJobConfig = z
  .object({
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
    base_weights: z
      .enum(['fp32', 'int8'])
      .default('fp32')
      .describe(
        'Weights under what is trained; int8: in 8 bits, as int8 serving runs them; a step of a 135 M model took 0.69 of the time.',
      ),
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
  })
  .refine(({ form, base_weights: base }) => form !== 'full' || base === 'fp32', {
    path: ['base_weights'],
    error: 'form "full" trains the weights themselves: use form "lora", or `base_weights` "fp32"',
  });
export type TuningJobConfig = z.output<typeof tuningJobConfig>;
export type TuningStage = TuningJobConfig['stages'][number];

/** POST /api/tuning/jobs */
export const createTuningJobRequest = z.object({
  config: tuningJobConfig.prefault({}),
  note: z.string().max(500).optional(),
});
export type CreateTuningJobRequest = z.output<typeof createTuningJobRequest>;
