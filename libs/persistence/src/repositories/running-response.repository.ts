import type { ResponseObject } from '@attune/contracts';
import { DataSource } from 'typeorm';
import { StoredResponse } from '../entities/index.js';
import { UNDER_WAY, writeResponse } from './response-row.js';

/** Channel on which the gateway that is answering hears of a cancellation asked for at another one. */
export const RESPONSE_CANCELLED = 'attune_response_cancelled';

/** What the others have to say to a gateway about the responses it is answering. */
export interface HeardBack {
  /** Somebody wants them cancelled. */
  cancelled: string[];
  /** They have ended: another gateway took this one for gone. */
  ended: string[];
}

/** What gateways tell each other of stored responses that are being answered. */
export class RunningResponseRepository {
  constructor(private readonly db: DataSource) {}

  /** Says that these are still being answered. */
  async beat(ids: string[]): Promise<HeardBack> {
    const rows: { id: string; wanted: boolean; ended: boolean }[] = await this.db.query(
      `with alive as (
         update response set heartbeat_at = clock_timestamp()
         where id = any($1) and ${UNDER_WAY} returning id, cancel_requested)
       select id, cancel_requested as wanted, false as ended from alive
       union all
       select id, false, true from response where id = any($1) and not ${UNDER_WAY}`,
      [ids],
    );
    const idsOf = (which: 'wanted' | 'ended') => rows.filter((row) => row[which]).map((row) => row.id);
    return { cancelled: idsOf('wanted'), ended: idsOf('ended') };
  }

  /** Asks whichever gateway is answering to stop. */
  async requestCancel(id: string): Promise<void> {
    await this.db.query(`update response set cancel_requested = true where id = $1 and ${UNDER_WAY}`, [id]);
    await this.db.query('select pg_notify($1, $2)', [RESPONSE_CANCELLED, id]);
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
      `select id from response where ${UNDER_WAY}
       and heartbeat_at < clock_timestamp() - make_interval(secs => $1) limit 100`,
      [silentMs / 1000],
    );
    return rows.map((row) => row.id);
  }

  /** Ends a lost response as `end` says, unless another gateway has done so. Returns whether this call did it. */
  async endLost(
    id: string,
    silentMs: number,
    end: (response: StoredResponse) => Promise<ResponseObject>,
  ): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      const [row]: unknown[] = await tx.query(
        `select 1 from response where id = $1 and ${UNDER_WAY}
         and heartbeat_at < clock_timestamp() - make_interval(secs => $2) for update skip locked`,
        [id, silentMs / 1000],
      );
      if (!row) return false;
      const response = await tx.getRepository(StoredResponse).findOneByOrFail({ id });
      return writeResponse(tx, { ...response, body: await end(response) });
    });
  }
}
