import type { BatchError, BatchOutputLine, BatchStatus, CreateBatchRequest, PageQuery } from '@attune/contracts';
import { ConflictError, createId, NotFoundError } from '@attune/platform';
import { DataSource } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import { Batch } from '../entities/index.js';
import { inOrder, keyset } from './keyset.js';

/** A gateway that has not renewed its lease by then is taken for dead. */
const LEASE = `interval '1 minute'`;
const OPEN: BatchStatus[] = ['validating', 'in_progress', 'finalizing', 'cancelling'];

export interface BatchWithCounts extends Batch {
  completed: number;
  failed: number;
}

/** Batches of requests that are worked through in the background; a user sees only their own. */
export class BatchRepository {
  constructor(private readonly db: DataSource) {}

  async create(
    { userId, keyId }: { userId: string; keyId: string },
    request: CreateBatchRequest,
  ): Promise<BatchWithCounts> {
    const id = createId('batch');
    await this.db.getRepository(Batch).insert({
      id,
      userId,
      apiKeyId: keyId,
      endpoint: request.endpoint,
      inputFileId: request.input_file_id,
      outputLifetimeSeconds: request.output_expires_after?.seconds ?? null,
      metadata: request.metadata ?? null,
    });
    return this.get(id, userId);
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<BatchWithCounts> {
    const batch = await this.db.getRepository(Batch).findOneBy({ id, userId });
    if (!batch) throw new NotFoundError(`There is no batch \`${id}\`.`, { param: 'batch_id' });
    return (await this.counted([batch]))[0];
  }

  async list(userId: string, query: PageQuery): Promise<{ rows: BatchWithCounts[]; hasMore: boolean }> {
    const batches = this.db.getRepository(Batch).createQueryBuilder('b').where('b.userId = :userId', { userId });
    const { rows, hasMore } = inOrder(await keyset(batches, query, 'batch').getMany(), query);
    return { rows: await this.counted(rows), hasMore };
  }

  /** @throws ConflictError when it has ended */
  async cancel(id: string, userId: string): Promise<BatchWithCounts> {
    const { status } = await this.get(id, userId);
    if (!OPEN.includes(status)) throw new ConflictError(`The batch \`${id}\` is ${status} already.`);
    await this.move(id, 'cancelling');
    return this.get(id, userId);
  }

  /** Takes the open batch that has waited longest and that no living gateway holds. */
  async claim(): Promise<Batch | null> {
    const [rows]: [{ id: string }[], number] = await this.db.query(
      `update batch set leased_until = clock_timestamp() + ${LEASE}
       where id = (
         select id from batch where status = any($1) and (leased_until is null or leased_until < clock_timestamp())
         order by created_at limit 1 for update skip locked)
       returning id`,
      [OPEN],
    );
    return rows[0] ? this.db.getRepository(Batch).findOneByOrFail({ id: rows[0].id }) : null;
  }

  /** Keeps the claim. @returns the status, which a person may have changed to `cancelling` */
  async renew(id: string): Promise<BatchStatus> {
    const [rows]: [{ status: BatchStatus }[], number] = await this.db.query(
      `update batch set leased_until = clock_timestamp() + ${LEASE} where id = $1 returning status`,
      [id],
    );
    return rows[0]?.status ?? 'cancelled';
  }

  /** Gives the claim back, so that another gateway goes on at once. */
  async release(id: string): Promise<void> {
    await this.db.query('update batch set leased_until = null where id = $1', [id]);
  }

  /** The status and when it was reached; a status that was reached before keeps its time. */
  async move(id: string, status: BatchStatus, change: { errors?: BatchError[]; total?: number } = {}): Promise<void> {
    await this.db.query(
      `update batch set status = $2, errors = coalesce($3::jsonb, errors), total = coalesce($4::int, total),
         reached = jsonb_build_object($2::text, floor(extract(epoch from clock_timestamp()))::bigint) || reached
       where id = $1 and not (status = 'cancelling' and $2 = 'in_progress')`,
      [id, status, change.errors ? storableJsonText(change.errors) : null, change.total ?? null],
    );
  }

  /** Lines that have been worked on; a batch goes on with the others. */
  async doneLines(id: string): Promise<Set<number>> {
    const rows: { line: number }[] = await this.db.query('select line from batch_result where batch_id = $1', [id]);
    return new Set(rows.map(({ line }) => line));
  }

  async addResult(id: string, line: number, succeeded: boolean, output: BatchOutputLine): Promise<void> {
    await this.db.query(
      `insert into batch_result (batch_id, line, succeeded, output) values ($1, $2, $3, $4) on conflict do nothing`,
      [id, line, succeeded, storableJsonText(output)],
    );
  }

  /** Outputs in the order of the input file. */
  async results(id: string, succeeded: boolean): Promise<BatchOutputLine[]> {
    const rows: { output: BatchOutputLine }[] = await this.db.query(
      'select output from batch_result where batch_id = $1 and succeeded = $2 order by line',
      [id, succeeded],
    );
    return rows.map(({ output }) => output);
  }

  /** The end of a batch: its files are there. */
  async finish(
    id: string,
    status: BatchStatus,
    files: { outputFileId: string | null; errorFileId: string | null },
  ): Promise<void> {
    await this.db.getRepository(Batch).update({ id }, files);
    await this.move(id, status);
  }

  private async counted(batches: Batch[]): Promise<BatchWithCounts[]> {
    const counts: { batch_id: string; completed: number; failed: number }[] = await this.db.query(
      `select batch_id, count(*) filter (where succeeded)::int as completed,
         count(*) filter (where not succeeded)::int as failed
       from batch_result where batch_id = any($1) group by batch_id`,
      [batches.map(({ id }) => id)],
    );
    return batches.map((batch) => {
      const { completed, failed } = counts.find((row) => row.batch_id === batch.id) ?? { completed: 0, failed: 0 };
      return { ...batch, completed, failed };
    });
  }
}
