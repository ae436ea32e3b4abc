import { DataSource } from 'typeorm';

/** Rows that go in one statement, so that none holds its locks for long. */
const AT_ONCE = 1_000;

const olderThan = (time: string, parameter: string) =>
  `${time} < clock_timestamp() - make_interval(days => ${parameter})`;

/**
 * Deletes what was to be kept for a time only, until none is left or `stopping`; each method says how many rows went.
 * Rows somebody else has locked go another time.
 */
export class RetentionRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Responses that ended longer ago. One that a younger one goes on from stays, for its words are part of that one's;
   * answers, feedback and conversations are not theirs and stay too.
   */
  responses(days: number, stopping: AbortSignal): Promise<number> {
    return this.inPieces(
      `delete from response where id in (
         select r.id from response r where ${olderThan('r.ended_at', '$1')}
         and not exists (select from response later where later.previous_response_id = r.id)
         limit ${AT_ONCE} for update skip locked)`,
      days,
      stopping,
    );
  }

  /** Idempotency keys: the same key sent later is a new request. */
  idempotencyKeys(days: number, stopping: AbortSignal): Promise<number> {
    return this.inPieces(
      `delete from idempotent_request where (user_id, key) in (
         select user_id, key from idempotent_request where ${olderThan('created_at', '$1')}
         limit ${AT_ONCE} for update skip locked)`,
      days,
      stopping,
    );
  }

  /** Webhook events that were told, or given up. */
  webhookDeliveries(days: number, stopping: AbortSignal): Promise<number> {
    return this.inPieces(
      `delete from webhook_delivery where id in (
         select id from webhook_delivery where ${olderThan('coalesce(delivered_at, given_up_at)', '$1')}
         limit ${AT_ONCE} for update skip locked)`,
      days,
      stopping,
    );
  }

  private async inPieces(statement: string, days: number, stopping: AbortSignal): Promise<number> {
    let gone = 0;
    while (!stopping.aborted) {
      const [, count]: [unknown[], number] = await this.db.query(statement, [days]);
      if (count === 0) break;
      gone += count;
    }
    return gone;
  }
}
