import type { ResponseObject } from '@attune/contracts';
import {
  ConversationItemRepository,
  ResponseRepository,
  RunningResponseRepository,
  type SavedResponse,
} from '@attune/persistence';
import { createId } from '@attune/platform';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthor } from '../support/rows.js';
import { useTestDatabase } from '../support/use-database.js';

const said = { id: 'msg_1', type: 'message', role: 'user', content: 'Hello' } as never;

describe('rows of responses', () => {
  const { db } = useTestDatabase();
  let userId: string;
  let responses: ResponseRepository;
  let running: RunningResponseRepository;
  beforeAll(async () => {
    responses = new ResponseRepository(db());
    running = new RunningResponseRepository(db());
    userId = (await createAuthor(db())).user.id;
  });

  const row = (fields: Partial<SavedResponse> = {}): SavedResponse => ({
    id: createId('resp'),
    userId,
    previousResponseId: null,
    conversationId: null,
    conversationUntil: null,
    input: [],
    body: body('in_progress'),
    ...fields,
  });
  const body = (status: string) => ({ status, output: [], store: true }) as unknown as ResponseObject;
  const silence = (id: string) =>
    db().query(`update response set heartbeat_at = now() - interval '1 minute' where id = $1`, [id]);

  it('end once: the gateway that was taken for gone changes nothing, nor does its conversation get anything', async () => {
    const items = new ConversationItemRepository(db());
    const conversationId = (await items.create(userId, 'Capitals', {}, [])).id;
    const one = row({ conversationId });
    expect(await responses.save(one)).toBe(true);
    await silence(one.id);
    expect(await running.endLost(one.id, 15_000, async () => body('failed'))).toBe(true);
    expect(await responses.save({ ...one, body: body('completed') }, [said])).toBe(false);
    expect((await responses.get(one.id, userId)).status).toBe('failed');
    expect((await items.all(conversationId)).items).toEqual([]);
  });

  it('end once the other way round, too', async () => {
    const one = row();
    await responses.save(one);
    await silence(one.id);
    expect(await responses.save({ ...one, body: body('completed') })).toBe(true);
    expect(await running.endLost(one.id, 15_000, async () => body('failed'))).toBe(false);
    await running.requestCancel(one.id);
    expect(await responses.get(one.id, userId)).toMatchObject({ status: 'completed', cancelRequested: false });
  });

  it('tell their gateway what others have done to them', async () => {
    const [wanted, ended, quiet] = [row(), row(), row()];
    for (const one of [wanted, ended, quiet]) await responses.save(one);
    await running.requestCancel(wanted.id);
    await responses.save({ ...ended, body: body('failed') });
    const heard = await running.beat([wanted, ended, quiet].map(({ id }) => id));
    expect(heard).toEqual({ cancelled: [wanted.id], ended: [ended.id] });
  });
});
