import type { ResponseItem, ResponseObject, ResponseStatus } from '@attune/contracts';
import type { EntityManager } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';

export interface SavedResponse {
  id: string;
  userId: string;
  previousResponseId: string | null;
  conversationId: string | null;
  conversationUntil: number | null;
  input: ResponseItem[];
  body: ResponseObject;
}

const ENDED: readonly ResponseStatus[] = ['completed', 'incomplete', 'failed', 'cancelled'];

/** SQL: the response is being answered, or waits to be. */
export const UNDER_WAY = `status in ('queued', 'in_progress')`;

/**
 * Writes a response as it stands, new or known. It ends once: one that has ended stays as it is, whoever else thought
 * they were answering it.
 * @returns whether this call wrote it
 */
export async function writeResponse(tx: EntityManager, response: SavedResponse): Promise<boolean> {
  const { id, userId, previousResponseId, conversationId, conversationUntil, input, body } = response;
  const rows: unknown[] = await tx.query(
    `insert into response
       (id, user_id, status, previous_response_id, conversation_id, conversation_until, input, body, ended_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9 then clock_timestamp() end)
     on conflict (id) do update set status = $3, body = $8, heartbeat_at = clock_timestamp(),
       ended_at = case when $9 then clock_timestamp() end
     where response.${UNDER_WAY}
     returning id`,
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
    ],
  );
  return rows.length > 0;
}
