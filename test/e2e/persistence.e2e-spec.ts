import { createHash } from 'node:crypto';
import { channels, type ReviewRequest } from '@attune/contracts';
import {
  AccountRepository,
  CheckpointRepository,
  CompletionRepository,
  ConversationRepository,
  DocumentRepository,
  FeedbackRepository,
  InstanceRepository,
  hashSecret,
  LIVE_HAS_CHANGED,
  Notifications,
  runMigrations,
  TuningRepository,
  type User,
} from '@attune/persistence';
import { ConflictError, createId, InvalidRequestError, NotFoundError } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createAuthor, jobConfig, newCheckpoint, newCompletion, outcome } from '../support/rows.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const db = () => database.dataSource;
const claimNow = { staleSeconds: 30, maxAttempts: 3 };

describe('schema', () => {
  it('has every column the entities name, with the same nullability', async () => {
    for (const entity of db().entityMetadatas) {
      const rows: { column_name: string; is_nullable: 'YES' | 'NO' }[] = await db().query(
        `select column_name, is_nullable from information_schema.columns
         where table_name = $1 and is_generated = 'NEVER'`,
        [entity.tableName],
      );
      const inDatabase = rows.map((row) => [row.column_name, row.is_nullable === 'YES']).sort();
      const inEntity = entity.columns.map((column) => [column.databaseName, column.isNullable]).sort();
      expect(inEntity, entity.tableName).toEqual(inDatabase);
    }
  });

  it('is migrated once by processes that start together', async () => {
    const applied = await Promise.all([runMigrations(db()), runMigrations(db())]);
    expect(applied).toEqual([[], []]);
  });

  it('goes back to nothing and up again', async () => {
    const scratch = await createTestDatabase();
    try {
      const count = scratch.dataSource.migrations.length;
      for (let i = 0; i < count; i++) await scratch.dataSource.undoLastMigration();
      const left = await scratch.dataSource.query(
        `select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration'`,
      );
      expect(left).toEqual([]);
      expect(await runMigrations(scratch.dataSource)).toHaveLength(count);
    } finally {
      await scratch.close();
    }
  });
});

describe('accounts', () => {
  it('finds a key by the hash of its secret, and no longer once it is revoked', async () => {
    const accounts = new AccountRepository(db());
    const user = await accounts.createUser({ name: 'Ada', role: 'admin' });
    const { key, secret } = await accounts.createKey({ userId: user.id, name: 'laptop' });
    expect(key.secretHash).toBe(createHash('sha256').update(secret).digest('hex'));
    expect(secret.startsWith(key.prefix)).toBe(true);
    await accounts.touchKey(key.id);
    const found = await accounts.findByKeyHash(hashSecret(secret));
    expect(found).toMatchObject({ id: key.id, user: { id: user.id, role: 'admin' } });
    expect(found!.lastUsedAt).toBeInstanceOf(Date);
    await accounts.revokeKey(key.id);
    expect(await accounts.findByKeyHash(hashSecret(secret))).toBeNull();
    await expect(accounts.revokeKey(key.id)).rejects.toThrow(NotFoundError);
  });

  it('makes one user of an external name, however many requests bring it at once', async () => {
    const accounts = new AccountRepository(db());
    const users = await Promise.all(Array.from({ length: 4 }, () => accounts.findOrCreateExternalUser('owui-7', 'Bo')));
    expect(new Set(users.map((user) => user.id)).size).toBe(1);
  });
});

describe('conversations', () => {
  let user: User;
  let answer: (conversationId?: string) => Promise<{ id: string; conversationId: string }>;
  beforeAll(async () => {
    ({ user, answer } = await createAuthor(db()));
  });

  it('keeps what was asked and what came out', async () => {
    const completions = new CompletionRepository(db());
    const { conversationId } = await answer();
    const row = newCompletion(user, conversationId);
    await completions.open(row);
    expect(await completions.get(row.id)).toMatchObject({ ...row, status: 'open', answer: '', closedAt: null });
    await completions.close(row.id, outcome);
    const closed = await completions.get(row.id);
    expect(closed).toMatchObject(outcome);
    expect(closed.closedAt!.getTime()).toBeGreaterThanOrEqual(closed.openedAt.getTime());
    expect((await completions.turns(conversationId)).map((turn) => turn.id)).toEqual([expect.any(String), row.id]);
  });

  it('stores an answer with characters PostgreSQL refuses, instead of losing the row', async () => {
    const completions = new CompletionRepository(db());
    const { conversationId } = await answer();
    const row = newCompletion(user, conversationId);
    await completions.open({ ...row, messages: [{ role: 'user', content: 'nul \u0000 and half \ud83d' }] });
    await completions.close(row.id, { ...outcome, answer: 'a\u0000b \u{1f600}' });
    expect(await completions.get(row.id)).toMatchObject({
      answer: 'a\ufffdb \u{1f600}',
      messages: [{ role: 'user', content: 'nul \ufffd and half \ufffd' }],
    });
  });

  it('refuses a completion of a conversation that does not exist, and closing what was never opened', async () => {
    const completions = new CompletionRepository(db());
    await expect(completions.open(newCompletion(user, 'conv_none'))).rejects.toThrow(NotFoundError);
    await expect(completions.close('chatcmpl_none', outcome)).rejects.toThrow(NotFoundError);
  });

  it('lets a close be repeated, and keeps what the first one wrote', async () => {
    const completions = new CompletionRepository(db());
    const { id } = await answer();
    const first = await completions.get(id);
    await completions.close(id, { ...outcome, answer: 'another' });
    expect(await completions.get(id)).toEqual(first);
  });

  it('marks what a dead gateway left open, and lets the living one still close it', async () => {
    const completions = new CompletionRepository(db());
    const { conversationId } = await answer();
    const row = { ...newCompletion(user, conversationId), instanceId: 'gw_silent' };
    await completions.open(row);
    await new InstanceRepository(db()).beat('gw_silent');
    await db().query(`update gateway_instance set heartbeat_at = clock_timestamp() - interval '16 seconds'`);
    expect(await completions.markLostOpen()).toBe(1);
    expect((await completions.get(row.id)).status).toBe('lost');
    await completions.close(row.id, outcome);
    expect((await completions.get(row.id)).status).toBe('done');
  });

  it('leaves what a living gateway is answering alone, until it says that it has ended', async () => {
    const completions = new CompletionRepository(db());
    const instances = new InstanceRepository(db());
    const { conversationId } = await answer();
    const row = { ...newCompletion(user, conversationId), instanceId: 'gw_alive' };
    await instances.beat('gw_alive');
    await completions.open(row);
    expect(await completions.markLostOpen()).toBe(0);
    expect((await completions.get(row.id)).status).toBe('open');
    await instances.leave('gw_alive');
    expect(await completions.markLostOpen()).toBe(1);
  });

  it('lists newest first, page by page, without what was deleted', async () => {
    const conversations = new ConversationRepository(db());
    const author = await createAuthor(db());
    const made = [];
    for (let i = 0; i < 5; i++) made.unshift((await author.answer()).conversationId);
    await conversations.softDelete(made[1], author.user.id);
    const first = await conversations.list(author.user.id, 2);
    const second = await conversations.list(author.user.id, 2, first[1].id);
    expect([...first, ...second].map((conversation) => conversation.id)).toEqual([made[0], made[2], made[3], made[4]]);
    await expect(conversations.get(made[1], author.user.id)).rejects.toThrow(NotFoundError);
  });

  it('shows a conversation to its owner only', async () => {
    const conversations = new ConversationRepository(db());
    const { conversationId } = await answer();
    const stranger = await createAuthor(db());
    await expect(conversations.get(conversationId, stranger.user.id)).rejects.toThrow(NotFoundError);
    await expect(conversations.findOrCreate(conversationId, stranger.user.id, 'mine')).rejects.toThrow(NotFoundError);
    await expect(conversations.rename(conversationId, stranger.user.id, 'mine')).rejects.toThrow(NotFoundError);
    expect(await conversations.rename(conversationId, user.id, 'Europe')).toMatchObject({ title: 'Europe' });
  });
});

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

describe('documents', () => {
  const passages = [
    'The harbour of Larnby opens at six in the morning.',
    'Tickets for the ferry cost 12 crowns; children travel free.',
    'The ferry, the ferry and again the ferry: a song about the ferry.',
    'Überfahrten nach Süden finden im Winter nicht statt.',
  ];
  const file = (userId: string, text = passages.join('\n')) => ({
    userId,
    filename: 'harbour.txt',
    mimeType: 'text/plain',
    content: Buffer.from(text),
    passages,
  });

  it('finds the passage that answers a question in natural language', async () => {
    const documents = new DocumentRepository(db());
    const { user } = await createAuthor(db());
    const { document } = await documents.add(file(user.id));
    const best = async (question: string) => (await documents.searchPassages(question, 3))[0]?.text;
    expect(await best('When does the harbour open?')).toBe(passages[0]);
    expect(await best('How much do ferry tickets cost?')).toBe(passages[1]);
    expect(await best("What's sung about ferries & (ferry | :*) 'quotes'?")).toBe(passages[2]);
    expect(await best('Gibt es im WINTER überfahrten?')).toBe(passages[3]);
    expect(await documents.searchPassages('what is the and of', 3)).toEqual([]);
    expect(await documents.searchPassages('?!', 3)).toEqual([]);
    await documents.remove(document.id);
    expect(await documents.searchPassages('ferry', 3)).toEqual([]);
    await expect(documents.get(document.id)).rejects.toThrow(NotFoundError);
  });

  it('stores the same file of a user once', async () => {
    const documents = new DocumentRepository(db());
    const [one, two] = [await createAuthor(db()), await createAuthor(db())];
    const added = await documents.add(file(one.user.id));
    expect(added).toMatchObject({ outcome: 'added', document: { numPassages: 4, bytes: expect.any(Number) } });
    expect(added.document).not.toHaveProperty('content');
    expect(await documents.add(file(one.user.id))).toEqual({ outcome: 'known', document: added.document });
    expect((await documents.add(file(two.user.id))).outcome).toBe('added');
    expect(await documents.content(added.document.id)).toEqual(Buffer.from(passages.join('\n')));
    const [newest, older] = await documents.list(2);
    expect(await documents.list(1, newest.id)).toEqual([older]);
  });
});

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
    expect(await tuning().claim('old', claimNow)).toMatchObject({ id, attempt: 1, status: 'running' });
    expect(await tuning().heartbeat(id, 'old')).toBe('continue');
    expect(await tuning().claim('new', claimNow)).toBeNull();
    await silence(id);
    expect(await tuning().claim('new', claimNow)).toMatchObject({ id, attempt: 2, workerId: 'new' });
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

describe('checkpoints', () => {
  const checkpoints = () => new CheckpointRepository(db());
  const report = (passed: boolean) => ({ passed, checks: [], suite: [], samples: [] });
  const passedCheckpoint = async (parentId: string | null = null) => {
    const { id } = await checkpoints().add(newCheckpoint(parentId));
    return checkpoints().setGateReport(id, report(true));
  };

  it('lets nothing go live that has not passed its gate', async () => {
    const { id } = await checkpoints().add(newCheckpoint());
    await expect(checkpoints().promote(id, 'ada', 'looks fine')).rejects.toThrow(ConflictError);
    expect((await checkpoints().setGateReport(id, report(false))).status).toBe('rejected');
    await expect(checkpoints().promote(id, 'ada', 'still')).rejects.toThrow(ConflictError);
    await expect(checkpoints().setGateReport(id, report(true))).rejects.toThrow(ConflictError);
    await expect(checkpoints().promote('ckpt_none', 'ada', 'typo')).rejects.toThrow(NotFoundError);
    expect(await checkpoints().live()).toEqual({ checkpoint: null, promotion: null });
    expect(await checkpoints().rollbackTarget()).toEqual({ available: false });
  });

  it('lets nothing go live that was trained to be named, for its gate asked no evidence', async () => {
    const [job] = await db().query<{ id: string }[]>(
      `insert into tuning_job (id, trigger, config, status) values ('job_named', 'api', $1, 'succeeded') returning id`,
      [JSON.stringify({ ...jobConfig, promotion: 'never' })],
    );
    const { id } = await checkpoints().add({ ...newCheckpoint(), jobId: job!.id });
    await checkpoints().setGateReport(id, report(true));
    await expect(checkpoints().promote(id, 'ada', 'by hand')).rejects.toThrow('`never`');
    expect((await checkpoints().get(id)).status).toBe('candidate');
  });

  it('promotes, rolls back step by step and tells whoever listens', async () => {
    const heard: (string | null)[] = [];
    const notifications = new Notifications(database.url);
    notifications.listen(channels.checkpointPromoted, (payload) => void heard.push(payload));
    notifications.start();
    await vi.waitFor(() => expect(heard).toEqual([null]));

    const first = await passedCheckpoint();
    const second = await passedCheckpoint(first.id);
    await checkpoints().promote(first.id, 'trainer', 'gate passed');
    await checkpoints().promote(second.id, 'trainer', 'gate passed');
    await expect(checkpoints().promote(second.id, 'ada', 'again')).rejects.toThrow(ConflictError);
    expect((await checkpoints().live()).checkpoint).toMatchObject({ id: second.id, status: 'live' });
    expect(await checkpoints().rollbackTarget()).toEqual({ available: true, checkpointId: first.id });
    const back = await checkpoints().promote(first.id, 'ada', 'rollback');
    expect(back).toMatchObject({ checkpointId: first.id, previousCheckpointId: second.id });
    expect(await checkpoints().rollbackTarget()).toEqual({ available: true, checkpointId: null });
    await checkpoints().promote(null, 'ada', 'rollback');
    expect((await checkpoints().live()).checkpoint).toBeNull();
    await vi.waitFor(() => expect(heard).toEqual([null, first.id, second.id, first.id, 'base']));
    const listed = await checkpoints().list(2);
    expect(listed.map((one) => [one.id, one.status])).toEqual([
      [second.id, 'retired'],
      [first.id, 'retired'],
    ]);
    expect(listed[0].promotedAt).toBeInstanceOf(Date);
    await notifications.close();
  });

  it('promotes on terms: in place of what it was measured against, over the base weights that serve', async () => {
    const [first, second] = [await passedCheckpoint(), await passedCheckpoint()];
    await checkpoints().promote(first.id, 'trainer', 'gate passed', { expectedLive: null, baseDigest: 'base' });
    const late = checkpoints().promote(second.id, 'trainer', 'gate passed', { expectedLive: null });
    await expect(late).rejects.toMatchObject({ code: LIVE_HAS_CHANGED });
    const foreign = checkpoints().promote(second.id, 'ada', 'by hand', { baseDigest: 'another base' });
    await expect(foreign).rejects.toThrow('other base weights');
    expect((await checkpoints().get(second.id)).status).toBe('candidate');
    await checkpoints().promote(null, 'ada', 'back', { expectedLive: first.id, baseDigest: 'another base' });
  });

  it('has one live checkpoint however many promotions run at once', async () => {
    const candidates = await Promise.all([1, 2, 3, 4].map(() => passedCheckpoint()));
    await Promise.all(candidates.map(({ id }) => checkpoints().promote(id, 'trainer', 'race')));
    const live = (await checkpoints().list(100)).filter((checkpoint) => checkpoint.status === 'live');
    expect(live).toHaveLength(1);
    expect((await checkpoints().promotions(1))[0].checkpointId).toBe(live[0].id);
    expect(await checkpoints().findByWeightsDigest(live[0].weightsDigest)).toMatchObject({ id: live[0].id });
  });
});

describe('notifications', () => {
  it('come again after the connection was cut, with a call to read everything', async () => {
    const heard: (string | null)[] = [];
    const notifications = new Notifications(database.url);
    notifications.listen('attune_test', (payload) => void heard.push(payload));
    notifications.start();
    await vi.waitFor(() => expect(heard).toEqual([null]));
    await db().query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'attune-listen'`);
    await vi.waitFor(() => expect(heard).toEqual([null, null]), { timeout: 10_000 });
    const id = createId('job');
    await db().query('select pg_notify($1, $2)', ['attune_test', id]);
    await vi.waitFor(() => expect(heard).toEqual([null, null, id]));
    await notifications.close();
  });
});
