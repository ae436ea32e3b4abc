import { DataSource } from 'typeorm';

/** A gateway that has not been heard of for this long has ended. */
export const SILENT_MS = 15_000;

/** True of a gateway's id (an SQL expression) while that gateway is alive. */
export const isAlive = (instanceId: string): string =>
  `exists (select from gateway_instance g where g.id = ${instanceId}
     and g.heartbeat_at > clock_timestamp() - interval '${SILENT_MS} milliseconds')`;

/** The gateways of this database, as they tell of themselves. */
export class InstanceRepository {
  constructor(private readonly db: DataSource) {}

  /** Says that this gateway is alive. */
  async beat(id: string): Promise<void> {
    await this.db.query(
      `insert into gateway_instance (id) values ($1)
       on conflict (id) do update set heartbeat_at = clock_timestamp()`,
      [id],
    );
  }

  /** Says that this gateway has ended: what it left open is nobody's from now on. */
  async leave(id: string): Promise<void> {
    await this.db.query('delete from gateway_instance where id = $1', [id]);
  }

  /** Forgets gateways nothing has been heard of for an hour. */
  async forgetDead(): Promise<void> {
    await this.db.query(`delete from gateway_instance where heartbeat_at < clock_timestamp() - interval '1 hour'`);
  }
}
