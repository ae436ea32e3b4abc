import { createId, NotFoundError } from '@attune/platform';
import { DataSource, In, IsNull } from 'typeorm';
import { Completion, Conversation, Feedback } from '../entities/index.js';

export interface ConversationHistory {
  conversation: Conversation;
  /** Oldest first; tries of one turn share the turn by `regenerateOf`. */
  completions: Completion[];
  feedback: Feedback[];
}

/** Conversations; a user sees only their own. */
export class ConversationRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * The user's conversation `id`, made with `title` when it is new (`id` undefined: always new).
   * @throws NotFoundError when `id` was deleted or belongs to somebody else
   */
  async findOrCreate(id: string | undefined, userId: string, title: string): Promise<Conversation> {
    const row = { id: id ?? createId('conv'), userId, title };
    await this.db.getRepository(Conversation).createQueryBuilder().insert().values(row).orIgnore().execute();
    return this.getOwn(row.id, userId);
  }

  /**
   * Whether {@link findOrCreate} would give the user this conversation.
   * @throws NotFoundError when it was deleted or belongs to somebody else
   */
  async expectUsable(id: string, userId: string): Promise<void> {
    const conversation = await this.db.getRepository(Conversation).findOneBy({ id });
    if (conversation && (conversation.userId !== userId || conversation.deletedAt)) throw notFound(id);
  }

  /** Newest first. `before` is the id of the last entry of the page before. */
  list(userId: string, limit: number, before?: string): Promise<Conversation[]> {
    const query = this.db
      .getRepository(Conversation)
      .createQueryBuilder('c')
      .where('c.userId = :userId and c.deletedAt is null', { userId })
      .orderBy('c.updatedAt', 'DESC')
      .addOrderBy('c.id', 'DESC')
      .take(limit);
    if (before !== undefined) {
      query.andWhere(
        '(c.updatedAt, c.id) < (select b.updated_at, b.id from conversation b where b.id = :before and b.user_id = :userId)',
        { before },
      );
    }
    return query.getMany();
  }

  /** @throws NotFoundError when there is none, it was deleted, or it belongs to somebody else */
  async get(id: string, userId: string): Promise<ConversationHistory> {
    const conversation = await this.getOwn(id, userId);
    const order = { openedAt: 'asc', id: 'asc' } as const;
    const completions = await this.db.getRepository(Completion).find({ where: { conversationId: id }, order });
    const feedback = await this.db.getRepository(Feedback).find({
      where: { completionId: In(completions.map((completion) => completion.id)) },
      order: { createdAt: 'asc', id: 'asc' },
    });
    return { conversation, completions, feedback };
  }

  /** @throws NotFoundError */
  async rename(id: string, userId: string, title: string): Promise<Conversation> {
    await this.change(id, userId, { title });
    return this.getOwn(id, userId);
  }

  /** Hides the conversation; its rows stay, because answers and training data refer to them. @throws NotFoundError */
  async softDelete(id: string, userId: string): Promise<void> {
    await this.change(id, userId, { deletedAt: () => 'clock_timestamp()' });
  }

  private async change(id: string, userId: string, values: { title?: string; deletedAt?: () => string }) {
    const result = await this.db.getRepository(Conversation).update({ id, userId, deletedAt: IsNull() }, values);
    if (!result.affected) throw notFound(id);
  }

  private async getOwn(id: string, userId: string): Promise<Conversation> {
    const where = { id, userId, deletedAt: IsNull() };
    const conversation = await this.db.getRepository(Conversation).findOneBy(where);
    if (!conversation) throw notFound(id);
    return conversation;
  }
}

const notFound = (id: string) => new NotFoundError(`You have no conversation \`${id}\`.`, { param: 'conversation_id' });
