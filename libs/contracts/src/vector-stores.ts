import { z } from 'zod';
import { metadata, pageQuery, type Metadata } from './paging.js';

const MOST_ATTRIBUTES = 16;

/** Labels of a file, to filter searches by. */
export const fileAttributes = z
  .record(z.string().max(64), z.union([z.string().max(512), z.number(), z.boolean()]))
  .refine((pairs) => Object.keys(pairs).length <= MOST_ATTRIBUTES, `at most ${MOST_ATTRIBUTES} pairs`);
export type FileAttributes = z.output<typeof fileAttributes>;

/** How a file is cut: `auto` as the gateway cuts documents, `static` in tokens of the served model. */
export const chunkingStrategy = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto') }),
  z.strictObject({
    type: z.literal('static'),
    static: z
      .strictObject({
        max_chunk_size_tokens: z.number().int().min(20).max(4096),
        chunk_overlap_tokens: z.number().int().min(0).max(2048),
      })
      .refine((sizes) => sizes.chunk_overlap_tokens * 2 <= sizes.max_chunk_size_tokens, {
        message: 'the overlap must not exceed half of max_chunk_size_tokens',
        path: ['chunk_overlap_tokens'],
      }),
  }),
]);
export type ChunkingStrategy = z.output<typeof chunkingStrategy>;

const storeExpiry = z.strictObject({
  anchor: z.literal('last_active_at'),
  days: z.number().int().min(1).max(365),
});
const fileIds = z.array(z.string()).max(500);

/** POST /v1/vector_stores, https://platform.openai.com/docs/api-reference/vector-stores/create */
export const createVectorStoreRequest = z.strictObject({
  name: z.string().max(512).default(''),
  description: z.string().max(512).optional(),
  file_ids: fileIds.default([]),
  chunking_strategy: chunkingStrategy.default({ type: 'auto' }),
  expires_after: storeExpiry.optional(),
  metadata: metadata.nullish(),
});
export type CreateVectorStoreRequest = z.output<typeof createVectorStoreRequest>;

/** POST /v1/vector_stores/{id} */
export const updateVectorStoreRequest = z.strictObject({
  name: z.string().max(512).nullish(),
  expires_after: storeExpiry.nullish(),
  metadata: metadata.nullish(),
});
export type UpdateVectorStoreRequest = z.output<typeof updateVectorStoreRequest>;

/** POST /v1/vector_stores/{id}/files */
export const addVectorStoreFileRequest = z.strictObject({
  file_id: z.string(),
  attributes: fileAttributes.nullish(),
  chunking_strategy: chunkingStrategy.default({ type: 'auto' }),
});
export type AddVectorStoreFileRequest = z.output<typeof addVectorStoreFileRequest>;

/** POST /v1/vector_stores/{id}/files/{file_id} */
export const updateVectorStoreFileRequest = z.strictObject({ attributes: fileAttributes.nullable() });
export type UpdateVectorStoreFileRequest = z.output<typeof updateVectorStoreFileRequest>;

/** POST /v1/vector_stores/{id}/file_batches: `file_ids` that share their settings, or `files` with their own. */
export const createFileBatchRequest = z
  .strictObject({
    file_ids: fileIds.min(1).optional(),
    files: z.array(addVectorStoreFileRequest).min(1).max(500).optional(),
    attributes: fileAttributes.nullish(),
    chunking_strategy: chunkingStrategy.default({ type: 'auto' }),
  })
  .refine((body) => (body.file_ids === undefined) !== (body.files === undefined), {
    message: 'send either file_ids or files',
    path: ['file_ids'],
  });
export type CreateFileBatchRequest = z.output<typeof createFileBatchRequest>;

export const vectorStoreFileStatus = z.enum(['in_progress', 'completed', 'failed', 'cancelled']);
export type VectorStoreFileStatus = z.output<typeof vectorStoreFileStatus>;
export const listVectorStoresQuery = pageQuery();
export const listVectorStoreFilesQuery = pageQuery().extend({ filter: vectorStoreFileStatus.optional() });
export type ListVectorStoreFilesQuery = z.output<typeof listVectorStoreFilesQuery>;

const comparison = z.strictObject({
  type: z.enum(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin']),
  key: z.string(),
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]),
});
/** Comparisons of attributes, joined by `and` and `or`. */
export type AttributeFilter = z.output<typeof comparison> | { type: 'and' | 'or'; filters: AttributeFilter[] };
export const attributeFilter: z.ZodType<AttributeFilter> = z.lazy(() =>
  z.union([comparison, z.strictObject({ type: z.enum(['and', 'or']), filters: z.array(attributeFilter).min(1) })]),
);

/** How places by words and by meaning are weighed; without it passages are found by their words alone. */
export const hybridSearch = z
  .strictObject({ embedding_weight: z.number().min(0).max(1e6), text_weight: z.number().min(0).max(1e6) })
  .refine((weights) => weights.embedding_weight + weights.text_weight > 0, 'one of the weights must be greater than 0');
export type HybridSearch = z.output<typeof hybridSearch>;

export const rankingOptions = z.strictObject({
  ranker: z
    .enum(['none', 'auto', 'default-2024-11-15'])
    .optional()
    .describe('There is one ranker; each name means it.'),
  score_threshold: z.number().min(0).max(1).optional(),
  hybrid_search: hybridSearch.optional(),
});

/** POST /v1/vector_stores/{id}/search */
export const searchVectorStoreRequest = z.strictObject({
  query: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  filters: attributeFilter.optional(),
  max_num_results: z.number().int().min(1).max(50).default(10),
  ranking_options: rankingOptions.optional(),
  rewrite_query: z.literal(false, 'queries are searched as they are; leave it out or send false').optional(),
});
export type SearchVectorStoreRequest = z.output<typeof searchVectorStoreRequest>;

export interface FileCounts {
  in_progress: number;
  completed: number;
  failed: number;
  cancelled: number;
  total: number;
}
export interface VectorStoreObject {
  id: string;
  object: 'vector_store';
  created_at: number;
  name: string;
  description: string | null;
  usage_bytes: number;
  file_counts: FileCounts;
  status: 'in_progress' | 'completed' | 'expired';
  expires_after: { anchor: 'last_active_at'; days: number } | null;
  expires_at: number | null;
  last_active_at: number;
  metadata: Metadata | null;
}
export interface VectorStoreFileObject {
  id: string;
  object: 'vector_store.file';
  created_at: number;
  vector_store_id: string;
  status: VectorStoreFileStatus;
  usage_bytes: number;
  last_error: { code: 'server_error' | 'unsupported_file' | 'invalid_file'; message: string } | null;
  attributes: FileAttributes | null;
  chunking_strategy: ChunkingStrategy | { type: 'other' };
}
export interface FileBatchObject {
  id: string;
  object: 'vector_store.files_batch';
  created_at: number;
  vector_store_id: string;
  status: 'in_progress' | 'completed' | 'cancelled' | 'failed';
  file_counts: FileCounts;
}
export interface VectorStoreSearchResult {
  file_id: string;
  filename: string;
  /**
   * From 0 to 1: how much of the query's words, weighted by their rarity, the passage holds. With `hybrid_search` how
   * far in front it stands: 1 is first by every ranking that has a weight.
   */
  score: number;
  attributes: FileAttributes | null;
  content: { type: 'text'; text: string }[];
}
export interface VectorStoreSearchPage {
  object: 'vector_store.search_results.page';
  search_query: string[];
  data: VectorStoreSearchResult[];
  has_more: false;
  next_page: null;
}
