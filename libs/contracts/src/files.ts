import { z } from 'zod';
import { pageQuery } from './paging.js';

/** What a file is for; `evals` and `fine-tune` files must be JSON lines. */
export const filePurpose = z.enum(['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals']);
export type FilePurpose = z.output<typeof filePurpose>;
/** Purposes of files the server writes itself. */
export type OutputPurpose = 'assistants_output' | 'batch_output' | 'fine-tune-results';

const ONE_HOUR = 3_600;
const THIRTY_DAYS = 2_592_000;

export const expiresAfter = z.strictObject({
  anchor: z.literal('created_at'),
  seconds: z.number().int().min(ONE_HOUR).max(THIRTY_DAYS),
});

/** The fields beside `file` in the multipart body of POST /v1/files, https://platform.openai.com/docs/api-reference/files/create */
export const createFileFields = z.strictObject({
  purpose: filePurpose,
  expires_after: expiresAfter.extend({ seconds: z.coerce.number().pipe(expiresAfter.shape.seconds) }).optional(),
});

/** GET /v1/files */
export const listFilesQuery = pageQuery(10_000, 10_000).extend({ purpose: z.string().optional() });
export type ListFilesQuery = z.output<typeof listFilesQuery>;

export interface FileObject {
  id: string;
  object: 'file';
  bytes: number;
  created_at: number;
  /** Only of files that expire. */
  expires_at?: number;
  filename: string;
  purpose: FilePurpose | OutputPurpose;
  status: 'processed';
}
export interface FileDeleted {
  id: string;
  object: 'file';
  deleted: true;
}

/** POST /v1/uploads, https://platform.openai.com/docs/api-reference/uploads/create */
export const createUploadRequest = z.strictObject({
  bytes: z.number().int().min(1),
  filename: z.string().min(1).max(1024),
  mime_type: z.string().min(1).max(255),
  purpose: filePurpose,
  expires_after: expiresAfter.optional(),
});
export type CreateUploadRequest = z.output<typeof createUploadRequest>;

/** POST /v1/uploads/{id}/complete */
export const completeUploadRequest = z.strictObject({
  part_ids: z.array(z.string()).min(1),
  md5: z.string().optional(),
});
export type CompleteUploadRequest = z.output<typeof completeUploadRequest>;

export interface UploadObject {
  id: string;
  object: 'upload';
  bytes: number;
  created_at: number;
  expires_at: number;
  filename: string;
  purpose: FilePurpose;
  status: 'pending' | 'completed' | 'cancelled' | 'expired';
  file: FileObject | null;
}
export interface UploadPartObject {
  id: string;
  object: 'upload.part';
  created_at: number;
  upload_id: string;
}
