import { ApiKey } from './api-key.entity.js';
import { Checkpoint, Promotion } from './checkpoint.entity.js';
import { CheckpointPermission } from './checkpoint-permission.entity.js';
import { Completion } from './completion.entity.js';
import { ConversationItem } from './conversation-item.entity.js';
import { Conversation } from './conversation.entity.js';
import { DatasetRow } from './dataset-row.entity.js';
import { Document, Passage } from './document.entity.js';
import { Feedback } from './feedback.entity.js';
import { StoredResponse } from './response.entity.js';
import { Review } from './review.entity.js';
import { Batch } from './batch.entity.js';
import { Eval, EvalOutputItem, EvalRun } from './eval.entity.js';
import { FineTuningJob } from './fine-tuning-job.entity.js';
import { StoredFile, Upload, UploadPart } from './stored-file.entity.js';
import { TuningJob } from './tuning-job.entity.js';
import { TuningEvent, TuningMetric } from './tuning-record.entity.js';
import { VectorStore, VectorStoreBatch, VectorStoreFile } from './vector-store.entity.js';
import { User } from './user.entity.js';
import { WebhookEndpoint } from './webhook.entity.js';

export const entities = [
  User,
  ApiKey,
  Conversation,
  Completion,
  Feedback,
  Review,
  Document,
  Passage,
  TuningJob,
  TuningEvent,
  TuningMetric,
  DatasetRow,
  Checkpoint,
  CheckpointPermission,
  Promotion,
  StoredFile,
  Upload,
  UploadPart,
  VectorStore,
  VectorStoreBatch,
  VectorStoreFile,
  ConversationItem,
  StoredResponse,
  WebhookEndpoint,
  FineTuningJob,
  Batch,
  Eval,
  EvalRun,
  EvalOutputItem,
];

export { User, ApiKey, Conversation, Completion, Feedback, Review, Document, Passage };
export { ConversationItem, StoredResponse };
export { TuningJob, TuningEvent, TuningMetric, DatasetRow, Checkpoint, CheckpointPermission, Promotion };
export { StoredFile, Upload, UploadPart };
export { Batch, Eval, EvalOutputItem, EvalRun, FineTuningJob, WebhookEndpoint };
export { VectorStore, VectorStoreBatch, VectorStoreFile };
export type { IndexingError } from './vector-store.entity.js';
export type { CompletionSource, CompletionStatus } from './completion.entity.js';
export type { Verdict } from './review.entity.js';
export type { TuningProgress } from './tuning-job.entity.js';
export type { EventLevel } from './tuning-record.entity.js';
