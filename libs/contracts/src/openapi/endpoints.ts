import type { z } from 'zod';
import { createKeyRequest, createUserRequest, keyQuotaRequest, usageQuery, type Role } from '../auth.js';
import { createBatchRequest, listBatchesQuery } from '../batches.js';
import { chatCompletionRequest } from '../chat.js';
import { promotionRequest } from '../checkpoints.js';
import { completionRequest } from '../completions.js';
import {
  createConversationItemsRequest,
  createConversationRequest,
  includeQuery,
  updateConversationRequest,
} from '../conversation-items.js';
import { renameConversationRequest } from '../conversations.js';
import { embeddingRequest } from '../embeddings.js';
import {
  createEvalRequest,
  createEvalRunRequest,
  listEvalRunsQuery,
  listEvalsQuery,
  listOutputItemsQuery,
  updateEvalRequest,
} from '../evals.js';
import { feedbackRequest, reviewRequest } from '../feedback.js';
import { completeUploadRequest, createFileFields, createUploadRequest, listFilesQuery } from '../files.js';
import {
  createCheckpointPermissionsRequest,
  createFineTuningJobRequest,
  listCheckpointPermissionsQuery,
  listFineTuningCheckpointsQuery,
  listFineTuningEventsQuery,
  listFineTuningJobsQuery,
} from '../fine-tuning.js';
import { runGraderRequest, validateGraderRequest } from '../graders.js';
import { moderationRequest } from '../moderations.js';
import { listItemsQuery, responseRequest, retrieveResponseQuery } from '../responses.js';
import { createTuningJobRequest } from '../tuning/job.js';
import {
  addVectorStoreFileRequest,
  createFileBatchRequest,
  createVectorStoreRequest,
  listVectorStoreFilesQuery,
  listVectorStoresQuery,
  searchVectorStoreRequest,
  updateVectorStoreFileRequest,
  updateVectorStoreRequest,
} from '../vector-stores.js';
import {
  createWebhookRequest,
  listWebhooksQuery,
  rotateSecretRequest,
  testWebhookRequest,
  updateWebhookRequest,
} from '../webhooks.js';

/** One route of the gateway as its clients see it. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** With `{parameters}` in braces. */
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  /** The file's field of a multipart body, whose other fields `body` describes. */
  readonly file?: string;
  readonly query?: z.ZodType;
  /** The least role of the key; left out: any key. `none`: no key. */
  readonly role?: Role | 'none';
  /** Answers with server-sent events when asked to. */
  readonly streams?: boolean;
  /** What a good answer is called. */
  readonly returns: string;
  /** Status of a good answer; 200 unless told. */
  readonly status?: 200 | 201 | 204;
}

type Rest = Omit<Endpoint, 'method' | 'path' | 'summary' | 'returns'>;
const endpoint =
  (method: Endpoint['method']) =>
  (path: string, summary: string, returns: string, rest: Rest = {}): Endpoint => ({
    method,
    path,
    summary,
    returns,
    ...rest,
  });
const [get, post, patch, remove] = [endpoint('get'), endpoint('post'), endpoint('patch'), endpoint('delete')];
const admin = { role: 'admin' } as const;
const reviewer = { role: 'reviewer' } as const;

/** Every route of the gateway, by what it is about. */
export const endpoints: Readonly<Record<string, readonly Endpoint[]>> = {
  'Chat completions': [
    post('/v1/chat/completions', 'Answers a conversation.', 'chat.completion', {
      body: chatCompletionRequest,
      streams: true,
    }),
    get('/v1/chat/completions', 'Lists stored completions.', 'list of chat.completion'),
    get('/v1/chat/completions/{id}', 'A stored completion.', 'chat.completion'),
    post('/v1/chat/completions/{id}', 'Changes a stored completion’s metadata.', 'chat.completion'),
    remove('/v1/chat/completions/{id}', 'Forgets a stored completion.', 'chat.completion.deleted'),
    get('/v1/chat/completions/{id}/messages', 'The messages a stored completion answered.', 'list of messages'),
  ],
  Completions: [
    post('/v1/completions', 'Continues a text.', 'text_completion', { body: completionRequest, streams: true }),
  ],
  Responses: [
    post('/v1/responses', 'Answers an input; keeps it unless told not to.', 'response', {
      body: responseRequest,
      streams: true,
    }),
    get('/v1/responses/{id}', 'A response, or the rest of its stream.', 'response', {
      query: retrieveResponseQuery,
      streams: true,
    }),
    get('/v1/responses/{id}/input_items', 'What a response answered.', 'list of items', { query: listItemsQuery }),
    post('/v1/responses/{id}/cancel', 'Stops a background response.', 'response'),
    remove('/v1/responses/{id}', 'Forgets a response.', 'response'),
  ],
  Conversations: [
    post('/v1/conversations', 'Makes a conversation.', 'conversation', { body: createConversationRequest }),
    get('/v1/conversations/{id}', 'A conversation.', 'conversation'),
    post('/v1/conversations/{id}', 'Changes a conversation’s metadata.', 'conversation', {
      body: updateConversationRequest,
    }),
    remove('/v1/conversations/{id}', 'Deletes a conversation.', 'conversation.deleted'),
    post('/v1/conversations/{id}/items', 'Adds items.', 'list of items', {
      body: createConversationItemsRequest,
      query: includeQuery,
    }),
    get('/v1/conversations/{id}/items', 'Lists items.', 'list of items', { query: listItemsQuery }),
    get('/v1/conversations/{id}/items/{item}', 'One item.', 'item', { query: includeQuery }),
    remove('/v1/conversations/{id}/items/{item}', 'Deletes an item.', 'conversation'),
    get('/api/conversations', 'The chat page’s conversations.', 'list of conversation'),
    get('/api/conversations/{id}', 'A conversation with its answers and feedback.', 'conversation'),
    patch('/api/conversations/{id}', 'Renames a conversation.', 'conversation', { body: renameConversationRequest }),
    remove('/api/conversations/{id}', 'Deletes a conversation.', 'nothing', { status: 204 }),
  ],
  Models: [
    get('/v1/models', 'The models that can be asked for.', 'list of model'),
    get('/v1/models/{id}', 'One model.', 'model'),
    post('/v1/embeddings', 'Texts as vectors.', 'list of embedding', { body: embeddingRequest }),
    post('/v1/moderations', 'What the rules say of a text.', 'moderation', { body: moderationRequest }),
  ],
  Files: [
    post('/v1/files', 'Uploads a file.', 'file', { file: 'file', body: createFileFields }),
    get('/v1/files', 'Lists files.', 'list of file', { query: listFilesQuery }),
    get('/v1/files/{id}', 'A file.', 'file'),
    get('/v1/files/{id}/content', 'A file’s bytes.', 'bytes'),
    remove('/v1/files/{id}', 'Deletes a file.', 'file'),
    post('/v1/uploads', 'Begins a large file.', 'upload', { body: createUploadRequest }),
    post('/v1/uploads/{id}/parts', 'Adds a part.', 'upload.part', { file: 'data' }),
    post('/v1/uploads/{id}/complete', 'Puts the parts together.', 'upload', { body: completeUploadRequest }),
    post('/v1/uploads/{id}/cancel', 'Drops the parts.', 'upload'),
  ],
  'Vector stores': [
    post('/v1/vector_stores', 'Makes a vector store.', 'vector_store', { body: createVectorStoreRequest }),
    get('/v1/vector_stores', 'Lists vector stores.', 'list of vector_store', { query: listVectorStoresQuery }),
    get('/v1/vector_stores/{id}', 'A vector store.', 'vector_store'),
    post('/v1/vector_stores/{id}', 'Changes a vector store.', 'vector_store', { body: updateVectorStoreRequest }),
    remove('/v1/vector_stores/{id}', 'Deletes a vector store.', 'vector_store.deleted'),
    post('/v1/vector_stores/{id}/search', 'Finds passages.', 'vector_store.search_results.page', {
      body: searchVectorStoreRequest,
    }),
    post('/v1/vector_stores/{store}/files', 'Adds a file.', 'vector_store.file', { body: addVectorStoreFileRequest }),
    get('/v1/vector_stores/{store}/files', 'Lists a store’s files.', 'list of vector_store.file', {
      query: listVectorStoreFilesQuery,
    }),
    get('/v1/vector_stores/{store}/files/{id}', 'A file of a store.', 'vector_store.file'),
    get(
      '/v1/vector_stores/{store}/files/{id}/content',
      'A file’s text as it was read.',
      'vector_store.file_content.page',
    ),
    post('/v1/vector_stores/{store}/files/{id}', 'Changes a file’s attributes.', 'vector_store.file', {
      body: updateVectorStoreFileRequest,
    }),
    remove('/v1/vector_stores/{store}/files/{id}', 'Takes a file out.', 'vector_store.file.deleted'),
    post('/v1/vector_stores/{store}/file_batches', 'Adds files together.', 'vector_store.files_batch', {
      body: createFileBatchRequest,
    }),
    get('/v1/vector_stores/{store}/file_batches/{id}', 'How a batch of files goes.', 'vector_store.files_batch'),
    post(
      '/v1/vector_stores/{store}/file_batches/{id}/cancel',
      'Stops reading a batch of files.',
      'vector_store.files_batch',
    ),
    get('/v1/vector_stores/{store}/file_batches/{id}/files', 'The files of a batch.', 'list of vector_store.file', {
      query: listVectorStoreFilesQuery,
    }),
  ],
  Batches: [
    post('/v1/batches', 'Answers the requests of a file in the background.', 'batch', { body: createBatchRequest }),
    get('/v1/batches', 'Lists batches.', 'list of batch', { query: listBatchesQuery }),
    get('/v1/batches/{id}', 'A batch.', 'batch'),
    post('/v1/batches/{id}/cancel', 'Stops a batch.', 'batch'),
  ],
  'Fine-tuning': [
    post('/v1/fine_tuning/jobs', 'Trains on a file.', 'fine_tuning.job', {
      body: createFineTuningJobRequest,
      ...admin,
    }),
    get('/v1/fine_tuning/jobs', 'Lists jobs.', 'list of fine_tuning.job', { query: listFineTuningJobsQuery, ...admin }),
    get('/v1/fine_tuning/jobs/{id}', 'A job.', 'fine_tuning.job', admin),
    post('/v1/fine_tuning/jobs/{id}/cancel', 'Cancels a job.', 'fine_tuning.job', admin),
    post('/v1/fine_tuning/jobs/{id}/pause', 'Pauses a job.', 'fine_tuning.job', admin),
    post('/v1/fine_tuning/jobs/{id}/resume', 'Lets a job go on.', 'fine_tuning.job', admin),
    get('/v1/fine_tuning/jobs/{id}/events', 'What a job tells.', 'list of fine_tuning.job.event', {
      query: listFineTuningEventsQuery,
      streams: true,
      ...admin,
    }),
    get('/v1/fine_tuning/jobs/{id}/checkpoints', 'What a job made.', 'list of fine_tuning.job.checkpoint', {
      query: listFineTuningCheckpointsQuery,
      ...admin,
    }),
    post('/v1/fine_tuning/checkpoints/{checkpoint}/permissions', 'Lets others ask for it.', 'list of permissions', {
      body: createCheckpointPermissionsRequest,
      ...admin,
    }),
    get('/v1/fine_tuning/checkpoints/{checkpoint}/permissions', 'Who may ask for it.', 'list of permissions', {
      query: listCheckpointPermissionsQuery,
      ...admin,
    }),
    remove('/v1/fine_tuning/checkpoints/{checkpoint}/permissions/{id}', 'Takes one back.', 'deleted', admin),
    post('/v1/fine_tuning/alpha/graders/validate', 'Whether a grader can be used.', 'grader', {
      body: validateGraderRequest,
    }),
    post('/v1/fine_tuning/alpha/graders/run', 'Tries a grader out.', 'grade', { body: runGraderRequest }),
  ],
  Evals: [
    post('/v1/evals', 'Makes an eval.', 'eval', { body: createEvalRequest, status: 201 }),
    get('/v1/evals', 'Lists evals.', 'list of eval', { query: listEvalsQuery }),
    get('/v1/evals/{eval}', 'An eval.', 'eval'),
    post('/v1/evals/{eval}', 'Changes an eval.', 'eval', { body: updateEvalRequest }),
    remove('/v1/evals/{eval}', 'Deletes an eval and its runs.', 'eval.deleted'),
    post('/v1/evals/{eval}/runs', 'Runs an eval.', 'eval.run', { body: createEvalRunRequest, status: 201 }),
    get('/v1/evals/{eval}/runs', 'Lists runs.', 'list of eval.run', { query: listEvalRunsQuery }),
    get('/v1/evals/{eval}/runs/{run}', 'A run.', 'eval.run'),
    post('/v1/evals/{eval}/runs/{run}', 'Cancels a run.', 'eval.run'),
    post('/v1/evals/{eval}/runs/{run}/cancel', 'Cancels a run, as the official client asks for it.', 'eval.run'),
    remove('/v1/evals/{eval}/runs/{run}', 'Deletes a run.', 'eval.run.deleted'),
    get('/v1/evals/{eval}/runs/{run}/output_items', 'What a run found, row by row.', 'list of eval.run.output_item', {
      query: listOutputItemsQuery,
    }),
    get('/v1/evals/{eval}/runs/{run}/output_items/{item}', 'What a run found of one row.', 'eval.run.output_item'),
  ],
  Webhooks: [
    post('/v1/webhook_endpoints', 'Has events sent to a URL.', 'webhook_endpoint', {
      body: createWebhookRequest,
      ...admin,
    }),
    get('/v1/webhook_endpoints', 'Lists endpoints.', 'list of webhook_endpoint', {
      query: listWebhooksQuery,
      ...admin,
    }),
    get('/v1/webhook_endpoints/{id}', 'An endpoint.', 'webhook_endpoint', admin),
    post('/v1/webhook_endpoints/{id}', 'Changes an endpoint.', 'webhook_endpoint', {
      body: updateWebhookRequest,
      ...admin,
    }),
    remove('/v1/webhook_endpoints/{id}', 'Deletes an endpoint.', 'webhook_endpoint.deleted', admin),
    post('/v1/webhook_endpoints/{id}/rotate_secret', 'A new signing secret.', 'webhook_endpoint', {
      body: rotateSecretRequest,
      ...admin,
    }),
    post('/v1/webhook_endpoints/{id}/test', 'Sends a sample.', 'webhook_endpoint.test', {
      body: testWebhookRequest,
      ...admin,
    }),
    get('/v1/webhook_event_types', 'The events there are.', 'list of names', admin),
  ],
  Feedback: [
    post('/v1/feedback', 'What a person thinks of an answer.', 'feedback', { body: feedbackRequest, status: 201 }),
    get('/v1/feedback', 'Feedback on an answer.', 'list of feedback'),
    get('/v1/lineage/{id}', 'From an answer to what it was trained on, and back.', 'lineage', reviewer),
    get('/api/review/queue', 'Feedback to review.', 'list of feedback', reviewer),
    post('/api/review/{feedbackId}', 'A reviewer’s verdict.', 'review', {
      body: reviewRequest,
      status: 201,
      ...reviewer,
    }),
  ],
  Tuning: [
    post('/api/tuning/jobs', 'Starts a training job.', 'tuning.job', {
      body: createTuningJobRequest,
      status: 201,
      ...admin,
    }),
    get('/api/tuning/jobs', 'Lists training jobs.', 'list of tuning.job', admin),
    get('/api/tuning/jobs/{id}', 'A training job.', 'tuning.job', admin),
    post('/api/tuning/jobs/{id}/cancel', 'Cancels a training job.', 'tuning.job', admin),
    post('/api/tuning/jobs/{id}/pause', 'Pauses a training job.', 'tuning.job', admin),
    post('/api/tuning/jobs/{id}/resume', 'Lets a training job go on.', 'tuning.job', admin),
    get('/api/tuning/jobs/{id}/events', 'What a job tells.', 'list of tuning.event', admin),
    get('/api/tuning/jobs/{id}/metrics', 'A job’s numbers, step by step.', 'list of tuning.metric', admin),
    get('/api/tuning/jobs/{id}/rows', 'What a job trains on, with its lineage.', 'list of dataset rows', admin),
    get('/api/checkpoints', 'Lists checkpoints.', 'list of checkpoint', admin),
    get('/api/promotions', 'What was live, and when.', 'list of promotion', admin),
    post('/api/checkpoints/{id}/promote', 'Makes a checkpoint live.', 'promotion', {
      body: promotionRequest,
      ...admin,
    }),
    post('/api/checkpoints/rollback', 'Goes back to what was live before.', 'promotion', {
      body: promotionRequest,
      ...admin,
    }),
  ],
  Documents: [
    post('/api/documents', 'Uploads a document answers may stand on.', 'document', {
      file: 'file',
      status: 201,
      ...admin,
    }),
    get('/api/documents', 'Lists documents.', 'list of document'),
    get('/api/documents/search', 'Finds passages.', 'list of passage'),
    get('/api/documents/{id}', 'A document.', 'document'),
    remove('/api/documents/{id}', 'Deletes a document.', 'nothing', { status: 204, ...admin }),
  ],
  Accounts: [
    get('/api/session', 'Whose key this is.', 'session'),
    get('/api/users', 'Lists people.', 'list of user', admin),
    post('/api/users', 'Adds a person.', 'user', { body: createUserRequest, status: 201, ...admin }),
    get('/api/keys', 'Lists keys.', 'list of key', admin),
    post('/api/keys', 'Makes a key.', 'key with its secret', { body: createKeyRequest, status: 201, ...admin }),
    post('/api/keys/{id}/quota', 'Limits a key.', 'key', { body: keyQuotaRequest, ...admin }),
    remove('/api/keys/{id}', 'Revokes a key.', 'key', admin),
    get('/api/usage', 'What keys have used, by day.', 'list of key.usage', { query: usageQuery }),
  ],
  Operation: [
    get('/health/live', 'Whether the process runs.', 'health', { role: 'none' }),
    get('/health/ready', 'Whether requests can be answered.', 'health', { role: 'none' }),
    get('/metrics', 'Prometheus metrics.', 'text', admin),
    get('/openapi.json', 'This description.', 'OpenAPI document', { role: 'none' }),
  ],
};
