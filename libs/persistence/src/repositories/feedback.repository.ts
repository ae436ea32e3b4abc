import type { FeedbackRequest, ReviewRequest, ReviewStatus } from '@attune/contracts';
import { ConflictError, createId, InvalidRequestError, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager, In, IsNull, Not } from 'typeorm';
import { Completion, Feedback, Review, TuningJob } from '../entities/index.js';

/** A piece of feedback with all a reviewer must see (`completion` and `rejectedCompletion` are loaded). */
export interface FeedbackWithReview {
  feedback: Feedback;
  /** The newest verdict; null while nobody has decided. */
  review: Review | null;
}

export interface FeedbackFilter {
  userId?: string;
  completionId?: string;
  status?: ReviewStatus;
}

/**
 * How much has been approved, for the decision whether to train. Only pieces that give training rows count: edits,
 * corrections, and liked or chosen answers that ended by themselves.
 */
export interface ApprovedSinceLastJob {
  /**
   * Pieces approved after the newest job that succeeded was enqueued; 0 while none of them is newer than the newest job
   * of all, so that one that failed or was cancelled is not started again at once.
   */
  count: number;
  /** All such pieces there are. */
  total: number;
  /** When the newest job was enqueued; null when there never was one. */
  lastJobAt: Date | null;
  /** Whether a job is queued or running now. */
  jobUnfinished: boolean;
}

/** What people thought of answers, and what reviewers decided about it. */
export class FeedbackRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * @throws NotFoundError when a completion it names does not exist
   * @throws InvalidRequestError for a choice between answers of different conversations
   */
  record(userId: string, request: FeedbackRequest): Promise<Feedback> {
    return this.db.transaction(async (tx) => {
      const completion = await findCompletion(tx, request.completion_id, 'completion_id');
      if (request.type === 'choice') {
        const rejected = await findCompletion(tx, request.rejected_completion_id, 'rejected_completion_id');
        assertComparable(completion, rejected);
      }
      const id = createId('fb');
      await tx.getRepository(Feedback).insert({ id, userId, ...columnsOf(request) });
      return tx.getRepository(Feedback).findOneByOrFail({ id });
    });
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<FeedbackWithReview> {
    const relations = { completion: true, rejectedCompletion: true };
    const feedback = await this.db.getRepository(Feedback).findOne({ where: { id }, relations });
    if (!feedback) throw new NotFoundError(`There is no feedback \`${id}\`.`);
    return (await this.withReviews([feedback]))[0];
  }

  /** Newest first. */
  list(filter: FeedbackFilter, limit: number): Promise<Feedback[]> {
    const order = { createdAt: 'desc', id: 'desc' } as const;
    return this.db.getRepository(Feedback).find({ where: { ...filter }, order, take: limit });
  }

  /** Longest waiting first. `after` is the id of the last entry of the page before. */
  async reviewQueue(status: ReviewStatus, limit: number, after?: string): Promise<FeedbackWithReview[]> {
    const query = this.db
      .getRepository(Feedback)
      .createQueryBuilder('f')
      .innerJoinAndSelect('f.completion', 'completion')
      .leftJoinAndSelect('f.rejectedCompletion', 'rejected')
      .where('f.status = :status', { status })
      .orderBy('f.createdAt', 'ASC')
      .addOrderBy('f.id', 'ASC')
      .limit(limit);
    if (after !== undefined) {
      query.andWhere('(f.createdAt, f.id) > (select a.created_at, a.id from feedback a where a.id = :after)', {
        after,
      });
    }
    return this.withReviews(await query.getMany());
  }

  /**
   * Records the verdict and sets the status in one transaction. A reviewer may change their own verdict.
   * @throws NotFoundError
   * @throws ConflictError when another reviewer has decided already
   */
  review(feedbackId: string, reviewerId: string, request: ReviewRequest): Promise<FeedbackWithReview> {
    return this.db.transaction(async (tx) => {
      const lock = { mode: 'pessimistic_write' as const };
      const feedback = await tx.getRepository(Feedback).findOne({ where: { id: feedbackId }, lock });
      if (!feedback) throw new NotFoundError(`There is no feedback \`${feedbackId}\`.`);
      const [last] = await tx.getRepository(Review).find({ where: { feedbackId }, order: newestFirst, take: 1 });
      if (last && last.reviewerId !== reviewerId) {
        throw new ConflictError(
          `Feedback \`${feedbackId}\` was ${feedback.status} by another reviewer; reload the queue.`,
        );
      }
      const review = await insertReview(tx, feedbackId, reviewerId, request);
      const status: ReviewStatus = request.verdict === 'reject' ? 'rejected' : 'approved';
      await tx.getRepository(Feedback).update({ id: feedbackId }, { status });
      return { feedback: { ...feedback, status }, review };
    });
  }

  /** Every approved piece with its completions and newest verdict, oldest first: what curation starts from. */
  async approved(): Promise<FeedbackWithReview[]> {
    const feedback = await this.db.getRepository(Feedback).find({
      where: { status: 'approved' },
      relations: { completion: true, rejectedCompletion: true },
      order: { createdAt: 'asc', id: 'asc' },
    });
    return this.withReviews(feedback);
  }

  async approvedSinceLastJob(): Promise<ApprovedSinceLastJob> {
    const jobs = this.db.getRepository(TuningJob);
    const [last] = await jobs.find({ where: { id: Not(IsNull()) }, order: { createdAt: 'desc' }, take: 1 });
    const [succeeded] = await jobs.find({ where: { status: 'succeeded' }, order: { createdAt: 'desc' }, take: 1 });
    const [{ fresh, waiting, total }] = await this.db.query(
      `select count(*)::int as total,
         (count(*) filter (where $1::timestamptz is null or decided_at > $1))::int as waiting,
         (count(*) filter (where $2::timestamptz is null or decided_at > $2))::int as fresh
       from (${ROW_GIVING_FEEDBACK}) approved`,
      [succeeded?.createdAt ?? null, last?.createdAt ?? null],
    );
    const count = fresh > 0 ? waiting : 0;
    const jobUnfinished = await jobs.existsBy({ status: In(['queued', 'running']) });
    return { count, total, lastJobAt: last?.createdAt ?? null, jobUnfinished };
  }

  private async withReviews(feedback: Feedback[]): Promise<FeedbackWithReview[]> {
    const where = { feedbackId: In(feedback.map(({ id }) => id)) };
    const reviews = await this.db.getRepository(Review).find({ where, order: { createdAt: 'asc', id: 'asc' } });
    const newest = new Map(reviews.map((review) => [review.feedbackId, review]));
    return feedback.map((one) => ({ feedback: one, review: newest.get(one.id) ?? null }));
  }
}

/** As curation reads it (apps/trainer/src/curation): what shows no answer to learn from gives no row. */
const ROW_GIVING_FEEDBACK = `
  select f.id, verdict.created_at as decided_at
  from feedback f
  join completion c on c.id = f.completion_id
  left join completion worse on worse.id = f.rejected_completion_id
  join lateral (select r.created_at, r.edited_text from review r where r.feedback_id = f.id
                order by r.created_at desc, r.id desc limit 1) verdict on true
  where f.status = 'approved' and (
    verdict.edited_text is not null or f.type = 'correction' or (
      c.status = 'done' and c.stop_reason = 'stop' and btrim(c.answer) <> '' and (
        (f.type = 'thumb' and f.value = 'up') or (f.type = 'choice' and btrim(worse.answer) <> ''))))`;

const newestFirst = { createdAt: 'desc', id: 'desc' } as const;

async function findCompletion(tx: EntityManager, id: string, param: string): Promise<Completion> {
  const completion = await tx.getRepository(Completion).findOneBy({ id });
  if (!completion) throw new NotFoundError(`There is no completion \`${id}\`.`, { param });
  return completion;
}

function assertComparable(chosen: Completion, rejected: Completion): void {
  const param = 'rejected_completion_id';
  if (chosen.id === rejected.id) {
    throw new InvalidRequestError('A choice needs two different completions; both fields name the same one.', {
      param,
    });
  }
  if (chosen.conversationId !== rejected.conversationId) {
    throw new InvalidRequestError(
      `Completions \`${chosen.id}\` and \`${rejected.id}\` belong to different conversations; choose between answers to the same messages.`,
      { param },
    );
  }
}

function columnsOf(request: FeedbackRequest) {
  return {
    completionId: request.completion_id,
    rejectedCompletionId: request.type === 'choice' ? request.rejected_completion_id : null,
    type: request.type,
    value: request.type === 'thumb' ? request.value : null,
    text: request.type === 'correction' ? request.text : null,
    comment: request.comment ?? null,
  };
}

async function insertReview(tx: EntityManager, feedbackId: string, reviewerId: string, request: ReviewRequest) {
  const id = createId('review');
  const editedText = request.verdict === 'edit' ? request.edited_text : null;
  const { verdict, note = null } = request;
  await tx.getRepository(Review).insert({ id, feedbackId, reviewerId, verdict, editedText, note });
  return tx.getRepository(Review).findOneByOrFail({ id });
}
