import { AccountRepository } from './account.repository.js';
import { CheckpointRepository } from './checkpoint.repository.js';
import { CheckpointPermissionRepository } from './checkpoint-permission.repository.js';
import { CompletionRepository } from './completion.repository.js';
import { ConversationItemRepository } from './conversation-item.repository.js';
import { ConversationRepository } from './conversation.repository.js';
import { DocumentRepository } from './document.repository.js';
import { FeedbackRepository } from './feedback.repository.js';
import { FileRepository } from './file.repository.js';
import { BatchRepository } from './batch.repository.js';
import { EvalRepository } from './eval.repository.js';
import { FineTuningRepository } from './fine-tuning.repository.js';
import { UsageRepository } from './usage.repository.js';
import { WebhookRepository } from './webhook.repository.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { RetentionRepository } from './retention.repository.js';
import { InstanceRepository } from './instance.repository.js';
import { VectorSearchRepository } from './vector-search.repository.js';
import { VectorStoreRepository } from './vector-store.repository.js';
import { ResponseEventRepository } from './response-event.repository.js';
import { RunningResponseRepository } from './running-response.repository.js';
import { ResponseRepository } from './response.repository.js';
import { PassageVectorRepository } from './passage-vector.repository.js';
import { StoredAnswersRepository } from './stored-answers.repository.js';
import { UploadRepository } from './upload.repository.js';
import { TuningRepository } from './tuning.repository.js';

export const repositories = [
  AccountRepository,
  ConversationRepository,
  CompletionRepository,
  FeedbackRepository,
  DocumentRepository,
  TuningRepository,
  CheckpointRepository,
  CheckpointPermissionRepository,
  FileRepository,
  UploadRepository,
  VectorStoreRepository,
  VectorSearchRepository,
  PassageVectorRepository,
  WebhookRepository,
  FineTuningRepository,
  BatchRepository,
  EvalRepository,
  StoredAnswersRepository,
  UsageRepository,
  ConversationItemRepository,
  ResponseRepository,
  RunningResponseRepository,
  ResponseEventRepository,
  InstanceRepository,
  IdempotencyRepository,
  RetentionRepository,
] as const;

export * from './account.repository.js';
export * from './checkpoint.repository.js';
export * from './checkpoint-permission.repository.js';
export * from './completion.repository.js';
export { ConversationItemRepository, type ItemPage } from './conversation-item.repository.js';
export * from './conversation.repository.js';
export * from './document.repository.js';
export * from './feedback.repository.js';
export { FileRepository, type NewFile, type ReceivedFile } from './file.repository.js';
export * from './idempotency.repository.js';
export { InstanceRepository, SILENT_MS } from './instance.repository.js';
export { RetentionRepository } from './retention.repository.js';
export * from './response-event.repository.js';
export * from './response.repository.js';
export type { SavedResponse } from './response-row.js';
export * from './running-response.repository.js';
export * from './tuning.repository.js';
export * from './upload.repository.js';
export * from './vector-search.repository.js';
export * from './vector-store.repository.js';
export * from './webhook.repository.js';
export * from './fine-tuning.repository.js';
export * from './batch.repository.js';
export type { BatchResult } from './batch-results.js';
export * from './eval.repository.js';
export type { EvalRunRecord } from './eval-run-record.js';
export * from './stored-answers.repository.js';
export * from './passage-vector.repository.js';
export type { PassageKey } from './stored-vectors.js';
export * from './usage.repository.js';
