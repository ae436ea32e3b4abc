import { z } from 'zod';
import { expiresAfter } from './files.js';
import { metadata, pageQuery, type Metadata } from './paging.js';

export const batchEndpoint = z.enum([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/embeddings',
  '/v1/moderations',
]);
export type BatchEndpoint = z.output<typeof batchEndpoint>;

/** POST /v1/batches, https://platform.openai.com/docs/api-reference/batch/create */
export const createBatchRequest = z.strictObject({
  input_file_id: z.string(),
  endpoint: batchEndpoint,
  completion_window: z.literal('24h'),
  metadata: metadata.nullish(),
  output_expires_after: expiresAfter.optional(),
});
export type CreateBatchRequest = z.output<typeof createBatchRequest>;

/** A line of the input file. */
export const batchLine = z.strictObject({
  custom_id: z.string().min(1).max(512),
  method: z.literal('POST'),
  url: z.string(),
  body: z.record(z.string(), z.unknown()),
});
export type BatchLine = z.output<typeof batchLine>;

export const listBatchesQuery = pageQuery();

export interface BatchError {
  code: string;
  line: number | null;
  message: string;
  param: string | null;
}
export type BatchStatus =
  'validating' | 'failed' | 'in_progress' | 'finalizing' | 'completed' | 'expired' | 'cancelling' | 'cancelled';

/** A line of the output and error files. */
export interface BatchOutputLine {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: unknown } | null;
  error: { code: string; message: string } | null;
}

export interface BatchObject {
  id: string;
  object: 'batch';
  endpoint: BatchEndpoint;
  errors: { object: 'list'; data: BatchError[] } | null;
  input_file_id: string;
  completion_window: '24h';
  status: BatchStatus;
  output_file_id: string | null;
  error_file_id: string | null;
  created_at: number;
  in_progress_at: number | null;
  expires_at: number;
  finalizing_at: number | null;
  completed_at: number | null;
  failed_at: number | null;
  expired_at: number | null;
  cancelling_at: number | null;
  cancelled_at: number | null;
  request_counts: { total: number; completed: number; failed: number };
  metadata: Metadata | null;
}
