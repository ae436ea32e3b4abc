import { z } from 'zod';

/**
 * Graders of fine-tuning and evals, https://platform.openai.com/docs/api-reference/graders. Texts are templates:
 * `{{item.<field>}}` is a field of the row, `{{sample.output_text}}` the model's answer.
 */
const template = z.string();
const name = z.string().min(1).max(256);

export const stringCheckGrader = z.strictObject({
  type: z.literal('string_check'),
  name,
  operation: z.enum(['eq', 'ne', 'like', 'ilike']).describe('like and ilike: whether input contains reference.'),
  input: template,
  reference: template,
});

export const textSimilarityMetric = z.enum([
  'cosine',
  'fuzzy_match',
  'bleu',
  'gleu',
  'meteor',
  'rouge_1',
  'rouge_2',
  'rouge_3',
  'rouge_4',
  'rouge_5',
  'rouge_l',
]);
export type TextSimilarityMetric = z.output<typeof textSimilarityMetric>;

export const textSimilarityGrader = z.strictObject({
  type: z.literal('text_similarity'),
  name,
  evaluation_metric: textSimilarityMetric,
  input: template,
  reference: template,
  /** Evals only: the score from which a row passes. */
  pass_threshold: z.number().min(0).max(1).optional(),
});

const graderMessage = z.strictObject({
  type: z.literal('message').optional(),
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([
    template,
    z.strictObject({ type: z.enum(['input_text', 'output_text']), text: template }),
    z.array(z.strictObject({ type: z.enum(['input_text', 'output_text']), text: template })),
  ]),
});
export type GraderMessage = z.output<typeof graderMessage>;

const samplingParams = z.strictObject({
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  max_completions_tokens: z.number().int().min(1).nullish(),
});

export const labelModelGrader = z.strictObject({
  type: z.literal('label_model'),
  name,
  model: z.string(),
  input: z.array(graderMessage).min(1),
  labels: z.array(z.string().min(1)).min(2),
  passing_labels: z.array(z.string().min(1)).min(1),
});

export const scoreModelGrader = z.strictObject({
  type: z.literal('score_model'),
  name,
  model: z.string(),
  input: z.array(graderMessage).min(1),
  range: z.tuple([z.number(), z.number()]).default([0, 1]),
  pass_threshold: z.number().optional(),
  sampling_params: samplingParams.optional(),
});

const singleGrader = z.discriminatedUnion('type', [
  stringCheckGrader,
  textSimilarityGrader,
  labelModelGrader,
  scoreModelGrader,
]);
export type SingleGrader = z.output<typeof singleGrader>;

export const multiGrader = z.strictObject({
  type: z.literal('multi'),
  name,
  graders: z.record(z.string().regex(/^[A-Za-z_]\w*$/), singleGrader),
  calculate_output: z
    .string()
    .min(1)
    .max(1000)
    .describe('Arithmetic over the names of the graders: + - * / ^, parentheses, min max abs floor ceil exp sqrt log.'),
});

export const grader = z.discriminatedUnion('type', [
  stringCheckGrader,
  textSimilarityGrader,
  labelModelGrader,
  scoreModelGrader,
  multiGrader,
]);
export type Grader = z.output<typeof grader>;

/** POST /v1/fine_tuning/alpha/graders/validate */
export const validateGraderRequest = z.strictObject({ grader });

/** POST /v1/fine_tuning/alpha/graders/run */
export const runGraderRequest = z.strictObject({
  grader,
  model_sample: z.string().describe('The answer to grade.'),
  item: z.record(z.string(), z.unknown()).default({}),
});
export type RunGraderRequest = z.output<typeof runGraderRequest>;
