import type { ResponseItem } from '@attune/contracts';
import { createId, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import { Conversation, ConversationItem } from '../entities/index.js';

export interface ItemPage {
  after?: string;
  before?: string;
  limit: number;
  order: 'asc' | 'desc';
}

/** Conversations as lists of items, under /v1/conversations. */
export class ConversationItemRepository {
  constructor(private readonly db: DataSource) {}

  async create(userId: string, title: string, metadata: object, items: ResponseItem[]): Promise<Conversation> {
    const id = createId('conv');
    return this.db.transaction(async (tx) => {
      await tx.getRepository(Conversation).insert({ id, userId, title, metadata: { ...metadata } });
      await appendItems(tx, id, items);
      return tx.getRepository(Conversation).findOneByOrFail({ id });
    });
  }

  /** @throws NotFoundError when there is none, it was deleted, or it belongs to somebody else */
  async get(id: string, userId: string): Promise<Conversation> {
    const conversation = await this.db.getRepository(Conversation).findOneBy({ id, userId, deletedAt: IsNull() });
    if (!conversation) throw notFound(id);
    return conversation;
  }

  /** @throws NotFoundError */
  async setMetadata(id: string, userId: string, metadata: object): Promise<Conversation> {
    const where = { id, userId, deletedAt: IsNull() };
    await this.db.getRepository(Conversation).update(where, { metadata: { ...metadata } });
    return this.get(id, userId);
  }

  append(conversationId: string, items: ResponseItem[]): Promise<void> {
    return appendItems(this.db.manager, conversationId, items);
  }

  /** All of them, oldest first, and the place of the last. */
  async all(conversationId: string): Promise<{ items: ResponseItem[]; until: number }> {
    const rows = await this.db
      .getRepository(ConversationItem)
      .find({ where: { conversationId }, order: { ordinal: 'asc' } });
    return { items: rows.map((row) => row.item), until: rows.at(-1)?.ordinal ?? 0 };
  }

  /** One more than `limit`, where there is one. @throws NotFoundError when there is no item `after` or `before` */
  async page(conversationId: string, { after, before, limit, order }: ItemPage): Promise<ResponseItem[]> {
    const query = this.db
      .getRepository(ConversationItem)
      .createQueryBuilder('i')
      .where('i.conversationId = :conversationId', { conversationId })
      .orderBy('i.ordinal', order === 'asc' ? 'ASC' : 'DESC')
      .take(limit + 1);
    const [onwards, back] = order === 'asc' ? ['>', '<'] : ['<', '>'];
    if (after !== undefined)
      query.andWhere(`i.ordinal ${onwards} :a`, { a: await this.ordinal(conversationId, after) });
    if (before !== undefined) query.andWhere(`i.ordinal ${back} :b`, { b: await this.ordinal(conversationId, before) });
    return (await query.getMany()).map((row) => row.item);
  }

  /** @throws NotFoundError */
  async getItem(conversationId: string, id: string): Promise<ResponseItem> {
    const row = await this.db.getRepository(ConversationItem).findOneBy({ conversationId, id });
    if (!row) throw noItem(conversationId, id);
    return row.item;
  }

  /** @throws NotFoundError */
  async removeItem(conversationId: string, id: string): Promise<void> {
    const result = await this.db.getRepository(ConversationItem).delete({ conversationId, id });
    if (!result.affected) throw noItem(conversationId, id);
  }

  private async ordinal(conversationId: string, id: string): Promise<number> {
    const row = await this.db.getRepository(ConversationItem).findOneBy({ conversationId, id });
    if (!row) throw noItem(conversationId, id);
    return row.ordinal;
  }
}

/** Puts items at the end; one that is there already (sent back by a client) stays where it is. */
export async function appendItems(tx: EntityManager, conversationId: string, items: ResponseItem[]): Promise<void> {
  if (items.length === 0) return;
  await tx.query(
    `insert into conversation_item (conversation_id, id, item)
     select $1, one ->> 'id', one from jsonb_array_elements($2::jsonb) with ordinality as list (one, place)
     order by place on conflict do nothing`,
    [conversationId, storableJsonText(items)],
  );
  await tx.query('update conversation set updated_at = clock_timestamp() where id = $1', [conversationId]);
}

const notFound = (id: string) =>
  new NotFoundError(`You have no conversation \`${id}\`.`, { param: 'conversation', code: 'conversation_not_found' });
const noItem = (conversationId: string, id: string) =>
  new NotFoundError(`The conversation \`${conversationId}\` has no item \`${id}\`.`, {
    param: 'item_id',
    code: 'item_not_found',
  });
