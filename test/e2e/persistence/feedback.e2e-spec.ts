import { type ReviewRequest } from '@attune/contracts';
import { FeedbackRepository, TuningRepository } from '@attune/persistence';
import { ConflictError, InvalidRequestError, NotFoundError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { claimNow, createAuthor, jobConfig } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();

describe('feedback', () => {
  it('refuses feedback on nothing, and a choice between answers of different conversations', async () => {
    const feedback = new FeedbackRepository(db());
    const { user, answer } = await createAuthor(db());
    const [a, b] = [await answer(), await answer()];
    const thumb = { type: 'thumb', value: 'up' } as const;
    await expect(feedback.record(user.id, { ...thumb, completion_id: 'chatcmpl-none' })).rejects.toThrow(NotFoundError);
    const choice = { type: 'choice', completion_id: a.id } as const;
    const record = (rejected: string) => feedback.record(user.id, { ...choice, rejected_completion_id: rejected });
    await expect(record(b.id)).rejects.toThrow(InvalidRequestError);
    await expect(record(a.id)).rejects.toThrow(InvalidRequestError);
    await expect(record('chatcmpl-none')).rejects.toThrow(NotFoundError);
    const other = await answer(a.conversationId);
    expect(await record(other.id)).toMatchObject({ completionId: a.id, rejectedCompletionId: other.id });
  });

  it('leads from the queue through a verdict to the approved rows', async () => {
    const feedback = new FeedbackRepository(db());
    const { user, answer } = await createAuthor(db());
    const reviewer = await createAuthor(db(), 'reviewer');
    const other = await createAuthor(db(), 'reviewer');
    const completion = await answer();
    const before = await feedback.approvedSinceLastJob();
    const correction = { type: 'correction', completion_id: completion.id, text: 'It is Paris.' } as const;
    const { id } = await feedback.record(user.id, correction);
    const waiting = (await feedback.reviewQueue('pending', 100)).find((item) => item.feedback.id === id)!;
    expect(waiting).toMatchObject({ review: null, feedback: { completion: { answer: 'Paris.' }, userId: user.id } });
    expect(await feedback.reviewQueue('pending', 100, id)).toEqual([]);

    const edit = { verdict: 'edit', edited_text: 'Paris it is.' } as const;
    await feedback.review(id, reviewer.user.id, { verdict: 'reject' });
    await feedback.review(id, reviewer.user.id, edit);
    await expect(feedback.review(id, other.user.id, { verdict: 'approve' })).rejects.toThrow(ConflictError);
    const approved = (await feedback.approved()).find((item) => item.feedback.id === id)!;
    expect(approved.review).toMatchObject({
      verdict: 'edit',
      editedText: 'Paris it is.',
      reviewerId: reviewer.user.id,
    });
    expect(approved.feedback.completion.conversationId).toBe(completion.conversationId);
    expect((await feedback.approvedSinceLastJob()).count).toBe(before.count + 1);
  });

  it('counts what gives training rows, since the last job that succeeded', async () => {
    const feedback = new FeedbackRepository(db());
    const tuning = new TuningRepository(db());
    const { user, answer } = await createAuthor(db());
    const reviewer = await createAuthor(db(), 'reviewer');
    const approve = async (value: 'up' | 'down', verdict: ReviewRequest = { verdict: 'approve' }) => {
      const { id } = await feedback.record(user.id, { type: 'thumb', value, completion_id: (await answer()).id });
      await feedback.review(id, reviewer.user.id, verdict);
    };
    const count = async () => (await feedback.approvedSinceLastJob()).count;
    const runJob = async (end: (id: string) => Promise<void>) => {
      const { id } = await tuning.enqueue({ trigger: 'button', config: jobConfig });
      await tuning.claim('worker', claimNow);
      await end(id);
    };
    await runJob((id) => tuning.finish(id, 'worker', { checkpointId: null }));
    expect(await count()).toBe(0);
    await approve('down');
    expect(await count()).toBe(0);
    await approve('up');
    await approve('down', { verdict: 'edit', edited_text: 'It is Paris.' });
    expect(await count()).toBe(2);
    await runJob((id) => tuning.fail(id, 'worker', 'loss is not a number'));
    expect(await count()).toBe(0);
    await approve('up');
    expect(await count()).toBe(3);
  });

  it('lets exactly one of two reviewers decide', async () => {
    const feedback = new FeedbackRepository(db());
    const { user, answer } = await createAuthor(db());
    const reviewers = [await createAuthor(db(), 'reviewer'), await createAuthor(db(), 'reviewer')];
    const thumb = { type: 'thumb', value: 'down', completion_id: (await answer()).id } as const;
    const { id } = await feedback.record(user.id, thumb);
    const verdicts = await Promise.allSettled(
      reviewers.map((reviewer) => feedback.review(id, reviewer.user.id, { verdict: 'approve' })),
    );
    expect(verdicts.map((verdict) => verdict.status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
