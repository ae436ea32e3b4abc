import type { ChatMessage, Citation, PageQuery, ToolCall } from '@attune/contracts';
import { NotFoundError } from '@attune/platform';
import { DataSource, In } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import { Completion, type CompletionSource } from '../entities/index.js';
import { isForeignKeyViolation } from '../postgres-errors.js';
import { asRecord, closeStatement, openStatement } from './completion-statements.js';
import { isAlive } from './instance.repository.js';

/** What is known before the first token. */
export interface NewCompletion {
  id: string;
  conversationId: string;
  userId: string;
  apiKeyId?: string | null;
  /** The gateway that answers; a row that is open and of none is lost. */
  instanceId?: string | null;
  regenerateOf?: string | null;
  source: CompletionSource;
  model: string;
  messages: ChatMessage[];
  promptTokenIds: number[];
  sampling: object;
  seed?: number | null;
  promptTokens?: number;
  citations?: Citation[];
  metadata?: Record<string, string>;
  stored?: boolean;
  groupId?: string | null;
  choiceIndex?: number;
}

/** A row that brings its conversation along, made with this title where it is new. */
export interface OpeningCompletion extends NewCompletion {
  title: string;
}

/** What is known when the answer has ended, however it ended. Durations in milliseconds. */
export interface CompletionOutcome {
  status: 'done' | 'cancelled' | 'failed';
  answer: string;
  answerTokenIds: number[];
  answerLogProbs: number[];
  toolCalls?: ToolCall[] | null;
  stopReason: string | null;
  error?: string | null;
  weightsDigest: string | null;
  checkpointId?: string | null;
  seed?: number | null;
  citations?: Citation[];
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  queueMs: number | null;
  prefillMs: number | null;
  ttftMs: number | null;
  totalMs: number | null;
}

/** A page of {@link CompletionRepository.listStored}. */
export type StoredQuery = Omit<PageQuery, 'before'> & { model?: string; metadata?: Record<string, string> };

/** What a row that is opened may leave out. */
const blank = { citations: [], metadata: {}, stored: false, choiceIndex: 0, promptTokens: 0 };

/** Answers: what was asked, what came out, under which weights. */
export class CompletionRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * One INSERT, committed when this resolves; only then may a token leave.
   * @throws NotFoundError when conversation, user, key or `regenerateOf` do not exist
   */
  async open(row: NewCompletion): Promise<void> {
    try {
      await this.db.getRepository(Completion).insert(row);
    } catch (error) {
      if (!isForeignKeyViolation(error)) throw error;
      throw new NotFoundError(`Completion \`${row.id}\` refers to something that does not exist: ${error.detail}`, {
        cause: error,
      });
    }
  }

  /**
   * Opens completions and the conversations they begin: one statement, committed when this resolves, for all of them or
   * (when it throws) for none. Gives the ids that were opened; one is missing when its conversation was deleted or is
   * somebody else's.
   * @throws NotFoundError when user, key or `regenerateOf` do not exist
   */
  async openAll(rows: readonly OpeningCompletion[]): Promise<Set<string>> {
    const records = rows.map((row) => asRecord({ ...blank, ...row }));
    try {
      const opened = await this.db.query<{ id: string }[]>(openStatement, [storableJsonText(records)]);
      return new Set(opened.map(({ id }) => id));
    } catch (error) {
      throw openingError(error);
    }
  }

  /**
   * Writes outcomes and moves the conversations to the front: one statement, for all or none. A row that another
   * gateway took for lost is corrected; one that is closed already stays as it is, so that a close whose answer got lost
   * on the way can be repeated. Gives the ids there are rows of.
   */
  async closeAll(outcomes: readonly (CompletionOutcome & { id: string })[]): Promise<Set<string>> {
    const records = outcomes.map(asRecord);
    const rows = await this.db.query<{ id: string; known: boolean }[]>(closeStatement, [storableJsonText(records)]);
    return new Set(rows.filter(({ known }) => known).map(({ id }) => id));
  }

  /** Whether an answer is being given somewhere; one of longer ago than ten minutes was lost with its gateway. */
  async anyUnderWay(): Promise<boolean> {
    const [row] = await this.db.query<{ busy: boolean }[]>(
      `select exists (select 1 from completion
         where status = 'open' and opened_at > clock_timestamp() - interval '10 minutes') as busy`,
    );
    return row.busy;
  }

  /** {@link closeAll} of one. @throws NotFoundError when the row was never opened */
  async close(id: string, outcome: CompletionOutcome): Promise<void> {
    const known = await this.closeAll([{ ...outcome, id }]);
    if (!known.has(id)) throw new NotFoundError(`There is no completion \`${id}\` that could be closed.`);
  }

  /** Answers of a user's by id, by choice; those that are not there are left out. */
  answers(userId: string, ids: readonly string[]): Promise<Completion[]> {
    const where = { userId, id: In([...ids]) };
    return this.db.getRepository(Completion).find({ where, order: { choiceIndex: 'asc' } });
  }

  /** All answers to one request of the user's, by choice; none when the client did not ask to store it. */
  async stored(userId: string, id: string): Promise<Completion[]> {
    const first = await this.db.getRepository(Completion).findOneBy({ id, userId, stored: true, choiceIndex: 0 });
    if (!first) return [];
    const others = await this.db
      .getRepository(Completion)
      .find({ where: { groupId: id }, order: { choiceIndex: 'asc' } });
    return others.length > 0 ? others : [first];
  }

  /** First answers of the user's stored requests, one more than the page holds, which tells whether another follows. */
  listStored(userId: string, query: StoredQuery): Promise<Completion[]> {
    const [direction, beyond] = query.order === 'desc' ? (['DESC', '<'] as const) : (['ASC', '>'] as const);
    const rows = this.db
      .getRepository(Completion)
      .createQueryBuilder('c')
      .where(`c.userId = :userId and c.stored and c.choiceIndex = 0 and c.status = 'done'`, { userId })
      .orderBy('c.openedAt', direction)
      .addOrderBy('c.id', direction)
      .limit(query.limit + 1);
    if (query.model !== undefined) rows.andWhere('c.model = :model', { model: query.model });
    if (query.metadata) rows.andWhere('c.metadata @> :metadata', { metadata: query.metadata });
    if (query.after !== undefined) {
      const { after } = query;
      rows.andWhere(`(c.openedAt, c.id) ${beyond} (select b.opened_at, b.id from completion b where b.id = :after)`, {
        after,
      });
    }
    return rows.getMany();
  }

  /** Notes on a stored request and all its answers; false when there is none. */
  async setMetadata(userId: string, id: string, metadata: Record<string, string>): Promise<boolean> {
    return this.changeStored(userId, id, { metadata });
  }

  /** Takes a request off the user's list; its rows stay, because feedback and training data refer to them. */
  async unstore(userId: string, id: string): Promise<boolean> {
    return this.changeStored(userId, id, { stored: false, metadata: {} });
  }

  private async changeStored(userId: string, id: string, values: Partial<Completion>): Promise<boolean> {
    const rows = await this.stored(userId, id);
    if (rows.length > 0) await this.db.getRepository(Completion).update({ id: In(rows.map((row) => row.id)) }, values);
    return rows.length > 0;
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<Completion> {
    const completion = await this.db.getRepository(Completion).findOneBy({ id });
    if (!completion) throw new NotFoundError(`There is no completion \`${id}\`.`, { param: 'completion_id' });
    return completion;
  }

  /** Oldest first. */
  turns(conversationId: string): Promise<Completion[]> {
    const order = { openedAt: 'asc', id: 'asc' } as const;
    return this.db.getRepository(Completion).find({ where: { conversationId }, order });
  }

  /**
   * Marks what gateways that have ended left open; rows of living ones stay as they are. One that was only silent puts it
   * right by {@link close}. Returns how many.
   */
  async markLostOpen(): Promise<number> {
    const [, count] = await this.db.query<[unknown[], number]>(
      `update completion set status = 'lost', closed_at = clock_timestamp()
       where status = 'open' and not ${isAlive('instance_id')}`,
    );
    return count;
  }
}

function openingError(error: unknown): unknown {
  if (!isForeignKeyViolation(error)) return error;
  return new NotFoundError(`The completion refers to something that does not exist: ${error.detail}`, { cause: error });
}
