import { groundMessages } from '@attune/contracts';
import type { FeedbackWithReview } from '@attune/persistence';
import type { ReviewedFeedback } from './curated-row.js';

/** A stored piece of feedback as curation reads it; the prompt is rebuilt as the model saw it, passages included. */
export function toReviewedFeedback({ feedback, review }: FeedbackWithReview): ReviewedFeedback {
  const { completion, rejectedCompletion } = feedback;
  const passages = completion.citations.map(({ quote }) => quote);
  return {
    feedbackId: feedback.id,
    type: feedback.type,
    value: feedback.value,
    text: feedback.text,
    editedText: review?.editedText ?? null,
    userId: feedback.userId,
    conversationId: completion.conversationId,
    prompt: groundMessages(completion.messages, passages),
    answer: completion.answer,
    answerCut: completion.status !== 'done' || completion.stopReason !== 'stop',
    rejectedAnswer: rejectedCompletion?.answer ?? null,
  };
}
