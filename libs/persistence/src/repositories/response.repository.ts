import { ConflictError, NotFoundError } from '@attune/platform';
import type { ResponseItem, ResponseObject, ResponseStatus } from '@attune/contracts';
import { DataSource, type EntityManager, IsNull, In, Not } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import { StoredResponse } from '../entities/index.js';
import { isUniqueViolation } from '../postgres-errors.js';
import { appendItems } from './conversation-item.repository.js';

export interface SavedResponse {
  id: string;
  userId: string;
  previousResponseId: string | null;
  conversationId: string | null;
  conversationUntil: number | null;
  input: ResponseItem[];
  body: ResponseObject;
  idempotencyKey?: string | null;
  requestHash?: string | null;
}

/** What was said up to a response, it included. */
export interface ResponsePast {
  items: ResponseItem[];
  /** The last response of the chain. */
  last: ResponseObject;
}

const ENDED: readonly ResponseStatus[] = ['completed', 'incomplete', 'failed', 'cancelled'];
const LONGEST_CHAIN = 2_000;
/** Responses of a user among which a referenced item is looked for. */
const REFERENCED_AMONG = 500;
/** Channel on which the gateway that is answering hears of a cancellation asked for at another one. */
export const RESPONSE_CANCELLED = 'attune_response_cancelled';

/** Stored responses; a user sees only their own. */
export class ResponseRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Writes the response as it stands, new or known. With `items` (of a response that has ended) its conversation gets
   * them in the same transaction.
   * @throws ConflictError when another response has the idempotency key
   */
  async save(response: SavedResponse, items: ResponseItem[] = []): Promise<void> {
    const { conversationId } = response;
    const write =
      conversationId === null
        ? upsert(this.db.manager, response)
        : this.db.transaction(async (tx) => {
            await upsert(tx, response);
            await appendItems(tx, conversationId, items);
          });
    await write.catch((error: unknown) => {
      if (!isUniqueViolation(error) || !error.detail.includes('idempotency_key')) throw error;
      throw new ConflictError('The request with this idempotency key is being answered; ask again when it has ended.', {
        code: 'idempotency_in_progress',
        retryAfterSeconds: 1,
      });
    });
  }

  /** What a response that is not stored leaves behind in its conversation. */
  fileItems(conversationId: string, items: ResponseItem[]): Promise<void> {
    return appendItems(this.db.manager, conversationId, items);
  }

  /** @throws NotFoundError when there is none, it was deleted, or it belongs to somebody else */
  async get(id: string, userId: string): Promise<StoredResponse> {
    const response = await this.db.getRepository(StoredResponse).findOneBy({ id, userId, deletedAt: IsNull() });
    if (!response) throw notFound(id);
    return response;
  }

  /** What a request with this key has made, if it was stored. */
  findByIdempotencyKey(userId: string, idempotencyKey: string): Promise<StoredResponse | null> {
    return this.db
      .getRepository(StoredResponse)
      .findOneBy({ userId, idempotencyKey, deletedAt: IsNull(), status: Not(In(['failed', 'cancelled'])) });
  }

  /** Everything the model would be shown after this response; deleted ones in between still count. */
  async past(id: string, userId: string): Promise<ResponsePast> {
    const { body } = await this.get(id, userId);
    return { items: [...(await this.context(id, userId)), ...body.output], last: body };
  }

  /** Everything the model was shown for this response, oldest first: what was said before, then its own input. */
  async context(id: string, userId: string): Promise<ResponseItem[]> {
    const chain: { input: ResponseItem[]; output: ResponseItem[]; conversation_id: string; until: string }[] =
      await this.db.query(
        `with recursive chain as (
           select r.id, r.previous_response_id, r.conversation_id, r.conversation_until, r.input, r.body, 0 as depth
           from response r where r.id = $1 and r.user_id = $2
           union all
           select r.id, r.previous_response_id, r.conversation_id, r.conversation_until, r.input, r.body, c.depth + 1
           from response r join chain c on r.id = c.previous_response_id
           where r.user_id = $2 and c.depth < ${LONGEST_CHAIN}
         )
         select input, body -> 'output' as output, conversation_id, conversation_until as until
         from chain order by depth desc`,
        [id, userId],
      );
    const first = chain[0];
    const before = first?.conversation_id ? await this.conversationUntil(first.conversation_id, first.until) : [];
    return chain.reduce(
      (items, turn, index) => [...items, ...turn.input, ...(index < chain.length - 1 ? turn.output : [])],
      before,
    );
  }

  /** The items of these ids in the user's latest responses. */
  async findItems(ids: string[], userId: string): Promise<ResponseItem[]> {
    const rows: { item: ResponseItem }[] = await this.db.query(
      `select distinct on (item ->> 'id') item
       from (select input || (body -> 'output') as items from response
             where user_id = $2 and deleted_at is null order by created_at desc limit ${REFERENCED_AMONG}) recent,
            jsonb_array_elements(recent.items) item
       where item ->> 'id' = any($1)`,
      [ids, userId],
    );
    return rows.map((row) => row.item);
  }

  /** Asks whichever gateway is answering to stop. */
  async requestCancel(id: string): Promise<void> {
    await this.db.query(
      `update response set cancel_requested = true where id = $1 and status in ('queued', 'in_progress')`,
      [id],
    );
    await this.db.query('select pg_notify($1, $2)', [RESPONSE_CANCELLED, id]);
  }

  /** Hides the response and forgets its stream; later ones of its chain keep what was said. */
  async softDelete(id: string, userId: string): Promise<void> {
    const found = await this.db
      .getRepository(StoredResponse)
      .update({ id, userId, deletedAt: IsNull() }, { deletedAt: () => 'clock_timestamp()' });
    if (!found.affected) throw notFound(id);
    await this.db.query('delete from response_event where response_id = $1', [id]);
  }

  /** Says that these are still being answered; returns those somebody wants cancelled. */
  async beat(ids: string[]): Promise<string[]> {
    const [rows]: [{ id: string; cancel_requested: boolean }[], number] = await this.db.query(
      `update response set heartbeat_at = clock_timestamp()
       where id = any($1) and status in ('queued', 'in_progress') returning id, cancel_requested`,
      [ids],
    );
    return rows.filter((row) => row.cancel_requested).map((row) => row.id);
  }

  /** Notes that somebody follows the stream here. */
  async touchRead(id: string): Promise<void> {
    await this.db.query('update response set read_at = clock_timestamp() where id = $1', [id]);
  }

  /** Whether somebody has followed the stream on any gateway in the last `withinMs`. */
  async wasRead(id: string, withinMs: number): Promise<boolean> {
    const rows: unknown[] = await this.db.query(
      `select 1 from response where id = $1 and read_at > clock_timestamp() - make_interval(secs => $2)`,
      [id, withinMs / 1000],
    );
    return rows.length > 0;
  }

  /** Ids of responses whose gateway has not been heard of for `silentMs`. */
  async lost(silentMs: number): Promise<string[]> {
    const rows: { id: string }[] = await this.db.query(
      `select id from response where status in ('queued', 'in_progress')
       and heartbeat_at < clock_timestamp() - make_interval(secs => $1) limit 100`,
      [silentMs / 1000],
    );
    return rows.map((row) => row.id);
  }

  /** Ends a lost response as `end` says, unless another gateway has done so. Returns whether this call did it. */
  async endLost(id: string, silentMs: number, end: (response: StoredResponse) => Promise<ResponseObject>) {
    return this.db.transaction(async (tx) => {
      const [row]: unknown[] = await tx.query(
        `select 1 from response where id = $1 and status in ('queued', 'in_progress')
         and heartbeat_at < clock_timestamp() - make_interval(secs => $2) for update skip locked`,
        [id, silentMs / 1000],
      );
      if (!row) return false;
      const response = await tx.getRepository(StoredResponse).findOneByOrFail({ id });
      await upsert(tx, { ...response, body: await end(response) });
      return true;
    });
  }

  private async conversationUntil(conversationId: string, until: string | null): Promise<ResponseItem[]> {
    const rows: { item: ResponseItem }[] = await this.db.query(
      'select item from conversation_item where conversation_id = $1 and ordinal <= $2 order by ordinal',
      [conversationId, until ?? '0'],
    );
    return rows.map((row) => row.item);
  }
}

async function upsert(tx: EntityManager, response: SavedResponse): Promise<void> {
  const { id, userId, previousResponseId, conversationId, conversationUntil, input, body } = response;
  await tx.query(
    `insert into response
       (id, user_id, status, previous_response_id, conversation_id, conversation_until, input, body, ended_at,
        idempotency_key, request_hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9 then clock_timestamp() end, $10, $11)
     on conflict (id) do update set status = $3, body = $8, heartbeat_at = clock_timestamp(),
       ended_at = case when $9 then clock_timestamp() end`,
    [
      id,
      userId,
      body.status,
      previousResponseId,
      conversationId,
      conversationUntil,
      storableJsonText(input),
      storableJsonText(body),
      ENDED.includes(body.status),
      response.idempotencyKey ?? null,
      response.requestHash ?? null,
    ],
  );
}

const notFound = (id: string) =>
  new NotFoundError(`You have no response \`${id}\`.`, { param: 'response_id', code: 'response_not_found' });
