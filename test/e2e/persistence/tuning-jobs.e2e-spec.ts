import { FeedbackRepository, TuningRepository } from '@attune/persistence';
import { ConflictError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { claimNow, createAuthor, jobConfig } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();

describe('tuning jobs', () => {
  const tuning = () => new TuningRepository(db());
  const enqueue = () => tuning().enqueue({ trigger: 'button', config: jobConfig });
  const silence = (id: string) =>
    db().query(`update tuning_job set heartbeat_at = now() - interval '1 minute' where id = $1`, [id]);

  it('holds one unfinished job, however many gateways decide to train at once', async () => {
    const decisions = await Promise.allSettled(Array.from({ length: 4 }, enqueue));
    expect(decisions.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const decision of decisions)
      if (decision.status === 'rejected') expect(decision.reason).toBeInstanceOf(ConflictError);
    const [{ id }] = await tuning().list(1);
    await tuning().claim('worker', claimNow);
    await expect(enqueue()).rejects.toThrow('queued or running');
    await tuning().finish(id, 'worker', { checkpointId: null });
    await tuning().cancel((await enqueue()).id);
  });

  it('gives a job to one of many workers', async () => {
    const { id } = await enqueue();
    const workers = Array.from({ length: 8 }, (_, i) => tuning().claim(`worker-${i}`, claimNow));
    const claimed = await Promise.all(workers);
    const winner = claimed.findIndex((job) => job !== null);
    expect(claimed.filter(Boolean)).toMatchObject([{ id, workerId: `worker-${winner}` }]);
    await tuning().finish(id, `worker-${winner}`, { checkpointId: null });
  });

  it('goes back to the queue without a counted attempt when its worker stops in good order', async () => {
    const { id } = await enqueue();
    for (const worker of ['one', 'two', 'three', 'four']) {
      expect(await tuning().claim(worker, claimNow)).toMatchObject({ id, attempt: 1, workerId: worker });
      await tuning().release(id, worker);
      expect(await tuning().get(id)).toMatchObject({ status: 'queued', workerId: null, attempt: 0 });
    }
    await expect(tuning().release(id, 'four')).rejects.toThrow(ConflictError);
    await tuning().claim('five', claimNow);
    await tuning().cancel(id);
    await tuning().release(id, 'five');
    expect(await tuning().get(id)).toMatchObject({ status: 'cancelled', finishedAt: expect.any(Date) });
  });

  it('is taken over from a worker that fell silent, which then hears that it has lost it', async () => {
    const { id } = await enqueue();
    expect(await tuning().claim('old', claimNow)).toMatchObject({
      id,
      attempt: 1,
      status: 'running',
      takenOver: false,
    });
    expect(await tuning().heartbeat(id, 'old')).toBe('continue');
    expect(await tuning().claim('new', claimNow)).toBeNull();
    await silence(id);
    expect(await tuning().claim('new', claimNow)).toMatchObject({ id, attempt: 2, workerId: 'new', takenOver: true });
    expect(await tuning().heartbeat(id, 'old')).toBe('lost');
    await expect(tuning().finish(id, 'old', { checkpointId: null })).rejects.toThrow(ConflictError);
    await tuning().progress(id, 'new', { stage: 'sft', step: 3, numSteps: 10, etaSeconds: 7 });
    await tuning().fail(id, 'new', 'loss is not a number');
    expect(await tuning().get(id)).toMatchObject({
      status: 'failed',
      error: 'loss is not a number',
      progress: { step: 3 },
    });
  });

  it('counts as taken over only by whoever comes right after the worker that fell silent', async () => {
    const { id } = await enqueue();
    await tuning().claim('silent', claimNow);
    await silence(id);
    await tuning().claim('next', claimNow);
    await tuning().release(id, 'next');
    expect(await tuning().claim('third', claimNow)).toMatchObject({ id, attempt: 2, takenOver: false });
    await tuning().finish(id, 'third', { checkpointId: null });
  });

  it('is given up when it has taken down its worker too often', async () => {
    const { id } = await enqueue();
    for (let attempt = 1; attempt <= claimNow.maxAttempts; attempt++) {
      expect(await tuning().claim(`victim-${attempt}`, claimNow)).toMatchObject({ id, attempt });
      await silence(id);
    }
    expect(await tuning().claim('careful', claimNow)).toBeNull();
    expect(await tuning().get(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('3 times') });
  });

  it('is cancelled at once while it waits, and by its worker while it runs', async () => {
    const waiting = await enqueue();
    expect((await tuning().cancel(waiting.id)).status).toBe('cancelled');
    await expect(tuning().cancel(waiting.id)).rejects.toThrow(ConflictError);
    const running = await enqueue();
    await tuning().claim('worker', claimNow);
    expect((await tuning().cancel(running.id)).status).toBe('running');
    expect(await tuning().heartbeat(running.id, 'worker')).toBe('cancel');
    await tuning().markCancelled(running.id, 'worker');
    expect(await tuning().get(running.id)).toMatchObject({ status: 'cancelled', finishedAt: expect.any(Date) });
  });

  it('keeps diary and curves in order, and a repeated step once', async () => {
    const { id } = await enqueue();
    await tuning().appendEvents(id, [
      { level: 'info', message: 'started' },
      { level: 'warn', message: 'few rows', data: { rows: 9 } },
    ]);
    await tuning().appendEvents(id, [{ level: 'info', message: 'done' }]);
    const events = await tuning().events(id);
    expect(events.map(({ seq, message, data }) => [seq, message, data])).toEqual([
      [1, 'started', null],
      [2, 'few rows', { rows: 9 }],
      [3, 'done', null],
    ]);
    expect((await tuning().events(id, 2)).map((event) => event.seq)).toEqual([3]);
    const step = (number: number, loss: number) => ({ stage: 'sft', step: number, values: { loss } });
    await tuning().appendMetrics(id, [step(1, 2.5), step(2, 2.25), step(3, 2)]);
    await tuning().appendMetrics(id, [step(3, 1.5), step(4, 1.25)]);
    const metrics = await tuning().metrics(id);
    expect(metrics.map((metric) => [metric.step, metric.values.loss])).toEqual([
      [1, 2.5],
      [2, 2.25],
      [3, 1.5],
      [4, 1.25],
    ]);
    await tuning().cancel(id);
  });

  it('stores its dataset with the feedback each row came from', async () => {
    const { user, answer } = await createAuthor(db());
    const completion = await answer();
    const correction = { type: 'correction', completion_id: completion.id, text: 'Paris!' } as const;
    const feedback = await new FeedbackRepository(db()).record(user.id, correction);
    const { id } = await enqueue();
    const shared = { feedbackId: feedback.id, prompt: completion.messages, chosen: 'Paris!' };
    const fromFile = { feedbackId: null, origin: 'file' as const, item: { answer: 'Paris', tries: [1, 2] } };
    const rows = [
      { ...shared, kind: 'demonstration' as const, split: 'train' as const, rejected: null },
      { ...shared, kind: 'preference' as const, split: 'heldout' as const, rejected: completion.answer },
      { ...shared, ...fromFile, kind: 'graded' as const, split: 'train' as const, chosen: '', rejected: null },
    ];
    await tuning().replaceDatasetRows(id, rows);
    await tuning().replaceDatasetRows(id, rows);
    expect(await tuning().datasetRows(id)).toMatchObject(rows);
    expect(await tuning().get(id)).toMatchObject({ numDemonstrations: 1, numPreferences: 1 });
    expect((await tuning().rowsOfFeedback(feedback.id)).map((row) => row.jobId)).toEqual([id, id]);
    await tuning().cancel(id);
  });
});
