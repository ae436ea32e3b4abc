import type { ListBody, ReviewItem, ReviewRequest, ReviewStatus } from '@attune/contracts';
import { FeedbackRepository, type FeedbackWithReview } from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { EventBus } from '../core/events.js';
import { page } from '../core/list.js';
import { completionView, feedbackView } from '../feedback/feedback.view.js';

/** What reviewers decide about feedback. */
@Injectable()
export class ReviewService {
  constructor(
    private readonly feedback: FeedbackRepository,
    private readonly events: EventBus,
  ) {}

  /** Longest waiting first. */
  async queue(status: ReviewStatus, limit: number, after: string | undefined): Promise<ListBody<ReviewItem>> {
    const rows = await this.feedback.reviewQueue(status, limit + 1, after);
    return page(rows.map(reviewItem), limit);
  }

  async decide(caller: Caller, feedbackId: string, request: ReviewRequest): Promise<ReviewItem> {
    await this.feedback.review(feedbackId, caller.userId, request);
    this.events.emit('feedback.reviewed', { feedbackId, approved: request.verdict !== 'reject' });
    return reviewItem(await this.feedback.get(feedbackId));
  }
}

function reviewItem({ feedback, review }: FeedbackWithReview): ReviewItem {
  return {
    feedback: feedbackView(feedback),
    completion: completionView(feedback.completion),
    rejected_completion: feedback.rejectedCompletion ? completionView(feedback.rejectedCompletion) : null,
    edited_text: review?.editedText ?? null,
  };
}
