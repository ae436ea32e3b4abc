import type { CompletionView, Feedback } from '@attune/contracts';
import type { Completion, Feedback as FeedbackRow } from '@attune/persistence';
import { seconds } from '../core/seconds.js';

export const feedbackView = (row: FeedbackRow): Feedback => ({
  id: row.id,
  object: 'feedback',
  completion_id: row.completionId,
  rejected_completion_id: row.rejectedCompletionId,
  type: row.type,
  value: row.value,
  text: row.text,
  comment: row.comment,
  status: row.status,
  user_id: row.userId,
  created: seconds(row.createdAt),
});

export const completionView = (row: Completion): CompletionView => ({
  id: row.id,
  messages: row.messages,
  answer: row.answer,
  model: row.model,
  weights_digest: row.weightsDigest,
  created: seconds(row.openedAt),
});
