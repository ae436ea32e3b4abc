import { DataSource } from 'typeorm';
import { isAlive } from './instance.repository.js';

/** A request as its sender names it. */
export interface KeyedRequest {
  userId: string;
  key: string;
  /** What it was: the same key with another one is a mistake. */
  requestHash: string;
}

/** Who answers a request: one try, at one gateway. */
export interface KeyClaim {
  /** Chosen by whoever claims, so that a claim whose answer was lost can be given back. */
  id: string;
  instanceId: string;
}

/** What a key was found to be. */
export type KeyState =
  /** The caller's to answer. */
  | { kind: 'claimed' }
  | { kind: 'running'; requestHash: string }
  | { kind: 'answered'; requestHash: string; answerIds: string[] };

/** Which requests have been taken in, so that each is answered once however often it is sent. */
export class IdempotencyRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Takes the key for this claim, unless it is another's; one whose gateway has ended is nobody's.
   * @param canJudge whether the silence of another gateway means that it has ended
   */
  async claim({ userId, key, requestHash }: KeyedRequest, claim: KeyClaim, canJudge: boolean): Promise<KeyState> {
    const claimed: unknown[] = await this.db.query(
      `insert into idempotent_request (user_id, key, request_hash, claim_id, instance_id) values ($1, $2, $3, $4, $5)
       on conflict (user_id, key) do update
         set request_hash = $3, claim_id = $4, instance_id = $5, created_at = clock_timestamp()
         where idempotent_request.answer_ids is null
           and $6 and idempotent_request.instance_id <> $5 and not ${isAlive('idempotent_request.instance_id')}
       returning key`,
      [userId, key, requestHash, claim.id, claim.instanceId, canJudge],
    );
    if (claimed.length > 0) return { kind: 'claimed' };
    const [row]: { requestHash: string; answerIds: string[] | null }[] = await this.db.query(
      `select request_hash as "requestHash", answer_ids as "answerIds" from idempotent_request
       where user_id = $1 and key = $2`,
      [userId, key],
    );
    // Given back between the two statements: it was running a moment ago, and the next try gets it.
    if (!row) return { kind: 'running', requestHash };
    return row.answerIds ? { ...row, kind: 'answered', answerIds: row.answerIds } : { ...row, kind: 'running' };
  }

  /** Takes over a key whose answers cannot be told again. Returns whether it was this call that did. */
  async claimAgain({ userId, key }: KeyedRequest, claim: KeyClaim, goneIds: string[]): Promise<boolean> {
    const [, count]: [unknown[], number] = await this.db.query(
      `update idempotent_request
       set answer_ids = null, claim_id = $3, instance_id = $4, created_at = clock_timestamp()
       where user_id = $1 and key = $2 and answer_ids = $5`,
      [userId, key, claim.id, claim.instanceId, goneIds],
    );
    return count > 0;
  }

  /** Says by which answers the request is told again; nothing happens where the claim does not hold the key any more. */
  async settle({ userId, key }: KeyedRequest, claimId: string, answerIds: string[]): Promise<void> {
    await this.db.query(
      `update idempotent_request set answer_ids = $4
       where user_id = $1 and key = $2 and claim_id = $3 and answer_ids is null`,
      [userId, key, claimId, answerIds],
    );
  }

  /** Gives the key back, if this claim holds it: the request has no answer. */
  async release({ userId, key }: KeyedRequest, claimId: string): Promise<void> {
    await this.db.query(
      `delete from idempotent_request where user_id = $1 and key = $2 and claim_id = $3 and answer_ids is null`,
      [userId, key, claimId],
    );
  }
}
