import type { ResponseStreamEvent } from '@attune/contracts';
import { DataSource } from 'typeorm';

export interface LoggedEvent {
  responseId: string;
  sequence: number;
  /** The event as JSON. */
  json: string;
}

/** The streams of stored responses, for whoever resumes one. */
export class ResponseEventRepository {
  constructor(private readonly db: DataSource) {}

  /** One statement for the events of any number of responses; what is there already stays. */
  async append(events: readonly LoggedEvent[]): Promise<void> {
    await this.db.query(
      `insert into response_event (response_id, sequence, event)
       select * from unnest($1::text[], $2::integer[], $3::json[]) on conflict do nothing`,
      [events.map((one) => one.responseId), events.map((one) => one.sequence), events.map((one) => one.json)],
    );
  }

  /** In order, those after `after`, at most `limit`. */
  async after(responseId: string, after: number, limit: number): Promise<ResponseStreamEvent[]> {
    const rows: { event: ResponseStreamEvent }[] = await this.db.query(
      `select event from response_event where response_id = $1 and sequence > $2 order by sequence limit $3`,
      [responseId, after, limit],
    );
    return rows.map((row) => row.event);
  }

  /** The latest that has been written. */
  async last(responseId: string): Promise<ResponseStreamEvent | undefined> {
    const rows: { event: ResponseStreamEvent }[] = await this.db.query(
      'select event from response_event where response_id = $1 order by sequence desc limit 1',
      [responseId],
    );
    return rows[0]?.event;
  }

  /** Forgets the streams of responses that ended longer than `keptMs` ago. */
  async prune(keptMs: number): Promise<void> {
    await this.db.query(
      `delete from response_event e where not exists (
         select 1 from response r where r.id = e.response_id
         and (r.ended_at is null or r.ended_at > clock_timestamp() - make_interval(secs => $1)))`,
      [keptMs / 1000],
    );
  }
}
