import type { ResponseObject } from '@attune/contracts';
import { ResponseRepository, RetentionRepository, WebhookRepository } from '@attune/persistence';
import { createId, createLogger, loadConfig } from '@attune/platform';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { batchFilesSeconds } from '../../apps/gateway/src/retention/batch-files.js';
import { RetentionService } from '../../apps/gateway/src/retention/retention.service.js';
import { createAuthor } from '../support/rows.js';
import { useTestDatabase } from '../support/use-database.js';

describe('what is kept for a time only', () => {
  const { db } = useTestDatabase();
  let userId: string;
  beforeAll(async () => {
    userId = (await createAuthor(db())).user.id;
  });
  beforeEach(() => db().query('truncate response, idempotent_request, webhook_delivery'));

  const prune = (environment: Record<string, string> = {}, stopping = new AbortController().signal) =>
    new RetentionService(
      createLogger('gateway', 'silent'),
      loadConfig(environment),
      new RetentionRepository(db()),
    ).prune(stopping);
  const count = async (table: string): Promise<number> =>
    (await db().query(`select count(*)::int as count from ${table}`))[0].count;

  /** Responses that go on from each other; their ages in days, undefined for one that is under way. */
  async function chain(...ages: (number | undefined)[]): Promise<string[]> {
    const ids: string[] = [];
    for (const age of ages) {
      const body = { status: age === undefined ? 'in_progress' : 'completed', output: [] } as unknown as ResponseObject;
      const [previousResponseId, id] = [ids.at(-1) ?? null, createId('resp')];
      const row = { id, userId, previousResponseId, conversationId: null, conversationUntil: null, input: [], body };
      await new ResponseRepository(db()).save(row);
      await db().query(
        `update response set ended_at = ended_at - make_interval(days => $2),
           created_at = created_at - make_interval(days => $2) where id = $1`,
        [id, age ?? 400],
      );
      ids.push(id);
    }
    return ids;
  }
  const left = async () => (await db().query('select id from response')).map(({ id }: { id: string }) => id).toSorted();

  it('are responses, 30 days and the one in which an answer that goes on from them ends, and as long as a younger one goes on from them', async () => {
    await chain(31);
    await chain(90, 60, 31);
    const kept = [...(await chain(30)), ...(await chain(90, 60, 2)), ...(await chain(undefined))];
    await prune();
    expect(await left()).toEqual(kept.toSorted());
    await prune({ RETENTION_RESPONSES_DAYS: '1' });
    expect(await left()).toEqual([kept.at(-1)]);
  });

  it('are idempotency keys, a day', async () => {
    await db().query(
      `insert into idempotent_request (user_id, key, request_hash, instance_id, created_at)
       values ($1, 'old', '', '', now() - interval '25 hours'), ($1, 'young', '', '', now() - interval '23 hours')`,
      [userId],
    );
    await prune();
    expect(await db().query('select key from idempotent_request')).toEqual([{ key: 'young' }]);
  });

  it('are left while somebody else has them locked, and when the gateway stops', async () => {
    const add = (key: string) =>
      db().query(
        `insert into idempotent_request (user_id, key, request_hash, instance_id, created_at)
         values ($1, $2, '', '', now() - interval '25 hours')`,
        [userId, key],
      );
    await add('locked');
    await add('free');
    await prune({}, AbortSignal.abort());
    expect(await count('idempotent_request')).toBe(2);
    await db().transaction(async (tx) => {
      await tx.query(`select from idempotent_request where key = 'locked' for update`);
      await prune();
    });
    expect(await db().query('select key from idempotent_request')).toEqual([{ key: 'locked' }]);
  });

  it('are webhook events, 30 days from when they were told; never those that still are to be', async () => {
    const endpoint = await new WebhookRepository(db()).create({
      name: 'x',
      url: 'http://example.org',
      event_types: ['batch.completed'],
    });
    await db().query(
      `insert into webhook_delivery (endpoint_id, event_id, type, subject_id, created_at, delivered_at, given_up_at)
       select $1, 'evt', 'batch.completed', 'batch', now() - interval '90 days', delivered, given_up
       from (values (now() - interval '31 days', null), (null::timestamptz, now() - interval '31 days'),
                    (now() - interval '29 days', null), (null, null)) as ages (delivered, given_up)`,
      [endpoint.id],
    );
    await prune();
    expect(await count('webhook_delivery')).toBe(2);
  });

  it('are kept for ever where the setting is 0', async () => {
    await chain(4_000);
    await prune({ RETENTION_RESPONSES_DAYS: '0' });
    expect(await count('response')).toBe(1);
    expect(batchFilesSeconds(loadConfig({ RETENTION_BATCH_FILES_DAYS: '0' }))).toBeUndefined();
  });
});
