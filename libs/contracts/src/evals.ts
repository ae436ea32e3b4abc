import { z } from 'zod';
import { grader, type Grader } from './graders.js';
import { metadata, pageQuery, type Metadata } from './paging.js';

const jsonObject = z.record(z.string(), z.unknown());

/** Where an eval's rows come from. */
export const evalDataSourceConfig = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('custom'),
    item_schema: jsonObject.describe('JSON schema of a row.'),
    include_sample_schema: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('stored_completions'), metadata: metadata.nullish() }),
  z.strictObject({ type: z.literal('logs'), metadata: metadata.nullish() }),
]);
export type EvalDataSourceConfig = z.output<typeof evalDataSourceConfig>;

/** POST /v1/evals, https://platform.openai.com/docs/api-reference/evals/create */
export const createEvalRequest = z.strictObject({
  name: z.string().max(256).optional(),
  data_source_config: evalDataSourceConfig,
  testing_criteria: z.array(grader).min(1).max(32),
  metadata: metadata.nullish(),
});
export type CreateEvalRequest = z.output<typeof createEvalRequest>;

/** POST /v1/evals/{id} */
export const updateEvalRequest = z.strictObject({
  name: z.string().max(256).optional(),
  metadata: metadata.nullish(),
});
export type UpdateEvalRequest = z.output<typeof updateEvalRequest>;

const MOST_INLINE_ROWS = 5_000;
const row = z.strictObject({ item: jsonObject, sample: jsonObject.optional() });
const fileContent = z.strictObject({
  type: z.literal('file_content'),
  content: z.array(row).min(1).max(MOST_INLINE_ROWS),
});
const fileId = z.strictObject({ type: z.literal('file_id'), id: z.string() });
const storedCompletions = z.strictObject({
  type: z.literal('stored_completions'),
  metadata: metadata.nullish(),
  model: z.string().nullish(),
  limit: z.number().int().min(1).max(MOST_INLINE_ROWS).nullish(),
  created_after: z.number().nullish(),
  created_before: z.number().nullish(),
});

const storedResponses = z.strictObject({
  type: z.literal('responses'),
  metadata: metadata.nullish(),
  model: z.string().nullish(),
  created_after: z.number().nullish(),
  created_before: z.number().nullish(),
  instructions_search: z.string().nullish().describe('Part of the instructions, in any case.'),
  reasoning_effort: z.string().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  tools: z.array(z.string()).nullish().describe('Names of functions; one of them was offered.'),
  users: z.array(z.string()).nullish(),
});

const templateMessage = z.strictObject({
  type: z.literal('message').optional(),
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([
    z.string(),
    z.strictObject({ type: z.enum(['input_text', 'output_text']), text: z.string() }),
    z.array(z.strictObject({ type: z.enum(['input_text', 'output_text']), text: z.string() })),
  ]),
});
const inputMessages = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('template'), template: z.array(templateMessage).min(1) }),
  z.strictObject({ type: z.literal('item_reference'), item_reference: z.string() }),
]);
export type EvalInputMessages = z.output<typeof inputMessages>;

const samplingParams = z.strictObject({
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  seed: z.number().int().optional(),
  max_completion_tokens: z.number().int().min(1).optional(),
  response_format: z.unknown().optional(),
  tools: z.array(z.unknown()).optional(),
});

/** Rows that hold their answers already, or that a model is asked to answer now. */
export const evalRunDataSource = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('jsonl'), source: z.discriminatedUnion('type', [fileContent, fileId]) }),
  z.strictObject({
    type: z.literal('completions'),
    source: z.discriminatedUnion('type', [fileContent, fileId, storedCompletions]),
    input_messages: inputMessages.optional(),
    model: z.string().optional(),
    sampling_params: samplingParams.optional(),
  }),
  z.strictObject({
    type: z.literal('responses'),
    source: z.discriminatedUnion('type', [fileContent, fileId, storedResponses]),
    input_messages: inputMessages.optional(),
    model: z.string().optional(),
    sampling_params: samplingParams.optional(),
  }),
]);
export type EvalRunDataSource = z.output<typeof evalRunDataSource>;

/** POST /v1/evals/{id}/runs */
export const createEvalRunRequest = z.strictObject({
  name: z.string().max(256).optional(),
  data_source: evalRunDataSource,
  metadata: metadata.nullish(),
});
export type CreateEvalRunRequest = z.output<typeof createEvalRunRequest>;

export const listEvalsQuery = pageQuery().extend({ order_by: z.enum(['created_at', 'updated_at']).optional() });
export const evalRunStatus = z.enum(['queued', 'in_progress', 'completed', 'failed', 'canceled']);
export type EvalRunStatus = z.output<typeof evalRunStatus>;
export const listEvalRunsQuery = pageQuery().extend({ status: evalRunStatus.optional() });
export type ListEvalRunsQuery = z.output<typeof listEvalRunsQuery>;
export const listOutputItemsQuery = pageQuery().extend({ status: z.enum(['pass', 'fail']).optional() });
export type ListOutputItemsQuery = z.output<typeof listOutputItemsQuery>;

export interface EvalObject {
  id: string;
  object: 'eval';
  created_at: number;
  name: string;
  data_source_config: {
    type: EvalDataSourceConfig['type'];
    schema: Record<string, unknown>;
    metadata?: Metadata | null;
  };
  testing_criteria: Grader[];
  metadata: Metadata | null;
}
export interface EvalRunObject {
  id: string;
  object: 'eval.run';
  created_at: number;
  eval_id: string;
  name: string;
  model: string;
  status: EvalRunStatus;
  data_source: EvalRunDataSource;
  error: { code: string; message: string } | null;
  metadata: Metadata | null;
  per_model_usage: {
    model_name: string;
    invocation_count: number;
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
    cached_tokens: number;
  }[];
  per_testing_criteria_results: { testing_criteria: string; passed: number; failed: number }[];
  result_counts: { total: number; passed: number; failed: number; errored: number };
  /** The run itself; its output items are below it. */
  report_url: string;
}
export interface EvalGradeResult {
  name: string;
  type: Grader['type'];
  passed: boolean;
  score: number;
  label?: string;
  parts?: Readonly<Record<string, number>>;
}
export interface EvalSample {
  error: { code: string; message: string } | null;
  finish_reason: string | null;
  input: { role: string; content: string }[];
  output: { role: string; content: string }[];
  model: string;
  max_completion_tokens: number | null;
  seed: number | null;
  temperature: number | null;
  top_p: number | null;
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number; cached_tokens: number };
}
export interface EvalOutputItemObject {
  id: string;
  object: 'eval.run.output_item';
  created_at: number;
  eval_id: string;
  run_id: string;
  datasource_item_id: number;
  datasource_item: Record<string, unknown>;
  results: EvalGradeResult[];
  sample: EvalSample;
  status: 'pass' | 'fail' | 'error';
}
