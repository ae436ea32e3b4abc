import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { storable } from './entities/columns.js';

/** A gateway that has not renewed its lease by then is taken for dead. */
const LEASE = `interval '1 minute'`;
/** What failed is tried again after as many seconds as there were attempts. */
const PAUSE = `interval '1 second'`;

const FREE = '(leased_until is null or leased_until < clock_timestamp())';

/** Ends a lease; part of every update that ends the work. */
export const LET_GO = 'lease_owner = null, leased_until = null';
/** As a row nobody has worked on; part of every update that gives it new work. */
export const BEGIN_ANEW = `${LET_GO}, attempts = 0, progress = 0, attempt_error = null, given_back_at = null`;

export interface LeasedTable {
  /** Has a status, a time of creation, and the columns of `LeasedRow`. */
  table: string;
  /** The columns that name a row; all text. */
  key: readonly string[];
  /** SQL: whether a row `q` is to be worked on. */
  open: string;
  /** SQL: what claiming a row sets besides. */
  onClaim?: string;
  /** SQL: how many pieces of the work on a row `q` are done. */
  progress?: string;
}

/** A row somebody works on. It is theirs until they fall silent; then whoever takes it gets another owner. */
export interface Claim {
  readonly key: readonly string[];
  readonly owner: string;
  /** Claims since the work last got on, this one included. */
  readonly attempts: number;
  /** Why the last attempt ended; null where its gateway was killed, or there was none. */
  readonly lastError: string | null;
}

/**
 * Rows that processes take from a table, one process a row. Every write of a worker goes through
 * {@link LeasedQueue.whileHeld} or {@link LeasedQueue.change}, so that one who was taken for dead changes nothing when
 * it wakes.
 */
export class LeasedQueue {
  constructor(
    private readonly db: DataSource,
    private readonly rows: LeasedTable,
  ) {}

  /** Takes the open row that has waited longest and that nobody holds. */
  async claim(): Promise<Claim | null> {
    const { table, key, open, onClaim, progress = '0' } = this.rows;
    const owner = randomUUID();
    const [rows]: [ClaimedRow[], number] = await this.db.query(
      `with next as (
         select ${key.join(', ')} from ${table} q
         where (${open}) and ${FREE}
         order by coalesce(given_back_at, created_at) limit 1 for update skip locked
       )
       update ${table} q set lease_owner = $1, leased_until = clock_timestamp() + ${LEASE},
         attempts = case when (${progress}) > q.progress then 1 else q.attempts + 1 end,
         progress = (${progress})${onClaim ? `, ${onClaim}` : ''}
       from next where ${key.map((column) => `q.${column} = next.${column}`).join(' and ')}
       returning array[${key.map((column) => `q.${column}`).join(', ')}] as key, q.attempts, q.attempt_error`,
      [owner],
    );
    const [row] = rows;
    return row ? { key: row.key, owner, attempts: row.attempts, lastError: row.attempt_error } : null;
  }

  /** Keeps the row. @returns its status, which somebody may have changed; null when it is no longer held */
  async renew(claim: Claim): Promise<string | null> {
    const set = `leased_until = clock_timestamp() + ${LEASE}`;
    return (await this.change<{ status: string }>(claim, set, { returning: 'q.status' }))?.status ?? null;
  }

  /** Whether there is work that nobody does. */
  async othersWait(): Promise<boolean> {
    const { table, open } = this.rows;
    const rows: unknown[] = await this.db.query(`select 1 from ${table} q where (${open}) and ${FREE} limit 1`);
    return rows.length > 0;
  }

  /** Lets go of a row that is to go on when others had their turn; the attempt does not count. */
  async giveBack(claim: Claim): Promise<void> {
    await this.change(claim, `${LET_GO}, given_back_at = clock_timestamp(), attempts = greatest(q.attempts - 1, 0)`);
  }

  /** Lets go of a row that could not be worked on: it comes again after a pause, and the attempt counts. */
  async putBack(claim: Claim, reason: string): Promise<void> {
    const set = `lease_owner = null, leased_until = clock_timestamp() + q.attempts * ${PAUSE}, attempt_error = $1`;
    await this.change(claim, set, { parameters: [storable(reason)] });
  }

  /** Writes in a transaction during which nobody else can take the row. @returns whether it was still held */
  whileHeld(claim: Claim, write: (tx: EntityManager) => Promise<void>): Promise<boolean> {
    return this.db.transaction(async (tx) => {
      const parameters: unknown[] = [];
      const where = this.held(claim, parameters);
      const rows: unknown[] = await tx.query(
        `select 1 from ${this.rows.table} q where ${where} for no key update`,
        parameters,
      );
      if (rows.length > 0) await write(tx);
      return rows.length > 0;
    });
  }

  /** A transaction that is undone when `write` finds out (by null) that the row is no longer held. @returns null then */
  async unlessLost<T>(write: (tx: EntityManager) => Promise<T | null>): Promise<T | null> {
    try {
      return await this.db.transaction(async (tx) => {
        const written = await write(tx);
        if (written === null) throw new Lost();
        return written;
      });
    } catch (error) {
      if (error instanceof Lost) return null;
      throw error;
    }
  }

  /**
   * Changes the row itself, in one statement.
   * @param set SQL over the row `q`, with `parameters` from $1 on
   * @returns what is `returning` of it; null when it is no longer held
   */
  async change<Row>(claim: Claim, set: string, options: ChangeOptions = {}): Promise<Row | null> {
    const { parameters = [], returning = '1', tx = this.db.manager } = options;
    const all = [...parameters];
    const where = this.held(claim, all);
    const [rows]: [Row[], number] = await tx.query(
      `update ${this.rows.table} q set ${set} where ${where} returning ${returning}`,
      all,
    );
    return rows[0] ?? null;
  }

  private held({ key, owner }: Claim, parameters: unknown[]): string {
    const place = (value: unknown) => `$${parameters.push(value)}`;
    const named = this.rows.key.map((column, index) => `q.${column} = ${place(key[index])}`);
    return [...named, `q.lease_owner = ${place(owner)}`].join(' and ');
  }
}

class Lost extends Error {}

interface ChangeOptions {
  parameters?: unknown[];
  /** SQL over the row `q` as it is then. */
  returning?: string;
  tx?: EntityManager;
}

interface ClaimedRow {
  key: string[];
  attempts: number;
  attempt_error: string | null;
}
