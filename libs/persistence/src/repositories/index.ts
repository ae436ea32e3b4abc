import { AccountRepository } from './account.repository.js';
import { CheckpointRepository } from './checkpoint.repository.js';
import { CompletionRepository } from './completion.repository.js';
import { ConversationRepository } from './conversation.repository.js';
import { DocumentRepository } from './document.repository.js';
import { FeedbackRepository } from './feedback.repository.js';
import { TuningRepository } from './tuning.repository.js';

export const repositories = [
  AccountRepository,
  ConversationRepository,
  CompletionRepository,
  FeedbackRepository,
  DocumentRepository,
  TuningRepository,
  CheckpointRepository,
] as const;

export * from './account.repository.js';
export * from './checkpoint.repository.js';
export * from './completion.repository.js';
export * from './conversation.repository.js';
export * from './document.repository.js';
export * from './feedback.repository.js';
export * from './tuning.repository.js';
