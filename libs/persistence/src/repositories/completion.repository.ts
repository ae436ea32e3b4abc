import type { ChatMessage, Citation } from '@attune/contracts';
import { NotFoundError } from '@attune/platform';
import { DataSource, In } from 'typeorm';
import { Completion, type CompletionSource } from '../entities/index.js';
import { isForeignKeyViolation } from '../postgres-errors.js';

/** What is known before the first token. */
export interface NewCompletion {
  id: string;
  conversationId: string;
  userId: string;
  apiKeyId?: string | null;
  regenerateOf?: string | null;
  source: CompletionSource;
  model: string;
  messages: ChatMessage[];
  promptTokenIds: number[];
  sampling: object;
  seed?: number | null;
  promptTokens?: number;
  citations?: Citation[];
}

/** What is known when the answer has ended, however it ended. Durations in milliseconds. */
export interface CompletionOutcome {
  status: 'done' | 'cancelled' | 'failed';
  answer: string;
  answerTokenIds: number[];
  answerLogProbs: number[];
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
   * Writes the outcome and moves the conversation to the front, both or neither. A row that another starting gateway took
   * for lost is corrected; one that is closed already stays as it is, so that a close whose answer got lost on the way
   * can be repeated.
   * @throws NotFoundError when the row was never opened
   */
  async close(id: string, outcome: CompletionOutcome): Promise<void> {
    await this.db.transaction(async (tx) => {
      const completions = tx.getRepository(Completion);
      const closed = { ...outcome, closedAt: () => 'clock_timestamp()' };
      const result = await completions.update({ id, status: In(['open', 'lost']) }, closed);
      if (!result.affected) {
        if (await completions.existsBy({ id })) return;
        throw new NotFoundError(`There is no completion \`${id}\` that could be closed.`);
      }
      await tx.query(
        `update conversation set updated_at = clock_timestamp()
         where id = (select conversation_id from completion where id = $1)`,
        [id],
      );
    });
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
   * Marks what a dead gateway left open; call it before the first request is taken. Where several gateways share the
   * database an answer still running elsewhere is marked too, and {@link close} puts that right. Returns how many.
   */
  async markLostOpen(): Promise<number> {
    const lost = { status: 'lost' as const, closedAt: () => 'clock_timestamp()' };
    const result = await this.db.getRepository(Completion).update({ status: 'open' }, lost);
    return result.affected ?? 0;
  }
}
