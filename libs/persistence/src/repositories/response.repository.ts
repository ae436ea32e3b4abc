import { NotFoundError } from '@attune/platform';
import type { ResponseItem, ResponseObject } from '@attune/contracts';
import { DataSource, IsNull } from 'typeorm';
import { StoredResponse } from '../entities/index.js';
import { appendItems } from './conversation-item.repository.js';
import { writeResponse, type SavedResponse } from './response-row.js';

/** What was said up to a response, it included. */
export interface ResponsePast {
  items: ResponseItem[];
  /** The last response of the chain. */
  last: ResponseObject;
}

const LONGEST_CHAIN = 2_000;
/** Responses of a user among which a referenced item is looked for. */
const REFERENCED_AMONG = 500;

/** Stored responses; a user sees only their own. */
export class ResponseRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Writes the response as it stands, new or known; one that has ended stays as it ended. With `items` (of a response
   * that ends) its conversation gets them in the same transaction.
   * @returns whether this call wrote it
   */
  async save(response: SavedResponse, items: ResponseItem[] = []): Promise<boolean> {
    const { conversationId } = response;
    if (conversationId === null) return writeResponse(this.db.manager, response);
    return this.db.transaction(async (tx) => {
      const written = await writeResponse(tx, response);
      if (written) await appendItems(tx, conversationId, items);
      return written;
    });
  }

  /** What a response that is not stored leaves behind in its conversation. */
  fileItems(conversationId: string, items: ResponseItem[]): Promise<void> {
    return appendItems(this.db.manager, conversationId, items);
  }

  /** @throws NotFoundError when there is none, it was deleted, or it belongs to somebody else */
  async get(id: string, userId: string): Promise<StoredResponse> {
    const response = await this.find(id, userId);
    if (!response) throw notFound(id);
    return response;
  }

  /** As {@link get}; null where that throws. */
  find(id: string, userId: string): Promise<StoredResponse | null> {
    return this.db.getRepository(StoredResponse).findOneBy({ id, userId, deletedAt: IsNull() });
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

  /** Hides the response and forgets its stream; later ones of its chain keep what was said. */
  async softDelete(id: string, userId: string): Promise<void> {
    const found = await this.db
      .getRepository(StoredResponse)
      .update({ id, userId, deletedAt: IsNull() }, { deletedAt: () => 'clock_timestamp()' });
    if (!found.affected) throw notFound(id);
    await this.db.query('delete from response_event where response_id = $1', [id]);
  }

  private async conversationUntil(conversationId: string, until: string | null): Promise<ResponseItem[]> {
    const rows: { item: ResponseItem }[] = await this.db.query(
      'select item from conversation_item where conversation_id = $1 and ordinal <= $2 order by ordinal',
      [conversationId, until ?? '0'],
    );
    return rows.map((row) => row.item);
  }
}

const notFound = (id: string) =>
  new NotFoundError(`You have no response \`${id}\`.`, { param: 'response_id', code: 'response_not_found' });
