import type { Feedback, FeedbackRequest, ListBody } from '@attune/contracts';
import { CompletionRepository, FeedbackRepository, type Completion } from '@attune/persistence';
import { ConflictError, InvalidRequestError, NotFoundError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { mayActAs, type Caller } from '../auth/caller.js';
import { EventBus } from '../core/events.js';
import { page } from '../core/list.js';
import { feedbackView } from './feedback.view.js';

/** What people think of answers. */
@Injectable()
export class FeedbackService {
  constructor(
    private readonly completions: CompletionRepository,
    private readonly feedback: FeedbackRepository,
    private readonly events: EventBus,
  ) {}

  /**
   * @throws NotFoundError for a completion that does not exist or is somebody else's
   * @throws ConflictError while the answer is still being written
   */
  async record(caller: Caller, request: FeedbackRequest): Promise<Feedback> {
    const completion = await this.ownCompletion(caller, request.completion_id, 'completion_id');
    if (request.type === 'choice') {
      assertSameQuestion(
        completion,
        await this.ownCompletion(caller, request.rejected_completion_id, 'rejected_completion_id'),
      );
    }
    const row = await this.feedback.record(caller.userId, request);
    this.events.emit('feedback.recorded', { feedbackId: row.id, completionId: row.completionId });
    return feedbackView(row);
  }

  /** Newest first; users see their own, reviewers everybody's. */
  async list(caller: Caller, completionId: string | undefined, limit: number): Promise<ListBody<Feedback>> {
    const userId = mayActAs(caller.role, 'reviewer') ? undefined : caller.userId;
    const filter = { ...(userId && { userId }), ...(completionId && { completionId }) };
    const rows = await this.feedback.list(filter, limit + 1);
    return page(rows.map(feedbackView), limit);
  }

  private async ownCompletion(caller: Caller, id: string, param: string): Promise<Completion> {
    const completion = await this.completions.get(id);
    if (completion.userId !== caller.userId && !mayActAs(caller.role, 'reviewer')) {
      throw new NotFoundError(`There is no completion \`${id}\`.`, { param });
    }
    if (completion.status === 'open') {
      throw new ConflictError(`Completion \`${id}\` is still being written; wait until it has ended.`, { param });
    }
    return completion;
  }
}

function assertSameQuestion(chosen: Completion, rejected: Completion): void {
  if (JSON.stringify(chosen.messages) === JSON.stringify(rejected.messages)) return;
  throw new InvalidRequestError(
    `Completions \`${chosen.id}\` and \`${rejected.id}\` answer different messages; choose between answers to the same ones.`,
    { param: 'rejected_completion_id' },
  );
}
