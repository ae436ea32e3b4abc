import type { BatchError, BatchStatus, CreateBatchRequest, PageQuery } from '@attune/contracts';
import { ConflictError, createId, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import { Batch } from '../entities/index.js';
import { LeasedQueue, LET_GO, type Claim } from '../leased-queue.js';
import { insertResult, writeResults, type BatchResult } from './batch-results.js';
import { inOrder, keyset } from './keyset.js';

/** Sets a status (SQL) and the time it was reached; one that was reached before keeps its time. */
const reaching = (status: string) => `status = ${status},
  reached = jsonb_build_object(${status}, floor(extract(epoch from clock_timestamp()))::bigint) || q.reached`;
const resultsOf = (which: string) => `select count(*) from batch_result r where r.batch_id = q.id and ${which}`;
const ENDING = `${reaching(`case q.status when 'cancelling' then 'cancelled' else $1::text end`)},
  errors = coalesce($2::jsonb, q.errors), ${LET_GO}`;
const FILED = `output_file_id = $3, error_file_id = $4,
  completed = (${resultsOf('succeeded')}), failed = (${resultsOf('not succeeded')})`;

export interface ClaimedBatch {
  claim: Claim;
  batch: Batch;
}
export interface BatchEnd {
  status: 'completed' | 'cancelled' | 'expired' | 'failed';
  errors?: BatchError[];
}

/** Batches of requests that are worked through in the background; a user sees only their own. */
export class BatchRepository {
  readonly queue: LeasedQueue;

  constructor(private readonly db: DataSource) {
    this.queue = new LeasedQueue(db, {
      table: 'batch',
      key: ['id'],
      open: `status in ('validating', 'in_progress', 'finalizing', 'cancelling')`,
      progress: 'select count(*) from batch_result r where r.batch_id = q.id',
    });
  }

  /**
   * @param outputLifetimeSeconds of the files with its results; null: until they are deleted
   * @param id chosen by whoever wants to find a batch whose making was not heard of
   */
  async create(
    { userId, keyId }: { userId: string; keyId: string },
    request: CreateBatchRequest,
    outputLifetimeSeconds: number | null = null,
    id = createId('batch'),
  ): Promise<Batch> {
    await this.db.getRepository(Batch).insert({
      id,
      userId,
      apiKeyId: keyId,
      endpoint: request.endpoint,
      inputFileId: request.input_file_id,
      outputLifetimeSeconds,
      metadata: request.metadata ?? null,
    });
    return this.get(id, userId);
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<Batch> {
    const batch = await this.db.getRepository(Batch).findOneBy({ id, userId });
    if (!batch) throw new NotFoundError(`There is no batch \`${id}\`.`, { param: 'batch_id' });
    return (await this.counted([batch]))[0];
  }

  async list(userId: string, query: PageQuery): Promise<{ rows: Batch[]; hasMore: boolean }> {
    const batches = this.db.getRepository(Batch).createQueryBuilder('b').where('b.userId = :userId', { userId });
    const { rows, hasMore } = inOrder(await keyset(batches, query, 'batch').getMany(), query);
    return { rows: await this.counted(rows), hasMore };
  }

  /**
   * Asks for its end; one that ends at the same moment is either cancelled or has ended before.
   * @throws ConflictError when it has ended
   */
  async cancel(id: string, userId: string): Promise<Batch> {
    const [, asked]: [unknown[], number] = await this.db.query(
      `update batch q set ${reaching(`'cancelling'`)}
       where id = $1 and user_id = $2 and status in ('validating', 'in_progress', 'finalizing')`,
      [id, userId],
    );
    const batch = await this.get(id, userId);
    if (asked > 0 || batch.status === 'cancelling') return batch;
    throw new ConflictError(`The batch \`${id}\` is ${batch.status} already.`);
  }

  /** Takes the open batch that has waited longest and that no living gateway holds. */
  async claim(): Promise<ClaimedBatch | null> {
    const claim = await this.queue.claim();
    if (!claim) return null;
    return { claim, batch: await this.db.getRepository(Batch).findOneByOrFail({ id: claim.key[0] }) };
  }

  /** Its lines are known, or all answered; a batch that is being cancelled stays so. @returns whether it was held */
  async move(claim: Claim, status: 'in_progress' | 'finalizing', total: number): Promise<boolean> {
    const set = `${reaching(`case q.status when 'cancelling' then q.status else $1 end`)}, total = $2`;
    return (await this.queue.change(claim, set, { parameters: [status, total] })) !== null;
  }

  /** Lines that have been worked on; a batch goes on with the others. */
  async doneLines(id: string): Promise<Set<number>> {
    const rows: { line: number }[] = await this.db.query('select line from batch_result where batch_id = $1', [id]);
    return new Set(rows.map(({ line }) => line));
  }

  /** @returns whether the batch was still held; otherwise nothing was written */
  addResult(claim: Claim, result: BatchResult): Promise<boolean> {
    return this.queue.whileHeld(claim, (tx) => insertResult(tx, claim.key[0], result));
  }

  /**
   * The end of a batch and its files, in one transaction: whoever sees the one sees the others. A batch somebody asked
   * to cancel until now is cancelled, whatever `end` says.
   * @param missing results of lines that were not worked on, told in the error file
   * @returns the status it has; null when it was no longer held, and nothing was written
   */
  finish(batch: Batch, claim: Claim, end: BatchEnd, missing: BatchResult[] = []): Promise<BatchStatus | null> {
    return this.queue.unlessLost(async (tx) => {
      for (const result of missing) await insertResult(tx, batch.id, result);
      const output = await writeResults(tx, batch, 'output', true);
      const failures = await writeResults(tx, batch, 'error', false);
      // The row is locked last, so that a person who cancels meanwhile does not wait for the files.
      return this.file(tx, claim, [end.status, end.errors ? storableJsonText(end.errors) : null, output, failures]);
    });
  }

  /** The end of a batch whose files cannot be written; what was answered stays where it is, and counted. */
  async fail(claim: Claim, errors: BatchError[]): Promise<void> {
    await this.queue.change(claim, ENDING, { parameters: ['failed', storableJsonText(errors)] });
  }

  /** Of its results the numbers stay: what they say is in the files, and lives as long as those. */
  private async file(tx: EntityManager, claim: Claim, parameters: unknown[]): Promise<BatchStatus | null> {
    const returning = 'q.status';
    const set = `${ENDING}, ${FILED}`;
    const row = await this.queue.change<{ status: BatchStatus }>(claim, set, { parameters, returning, tx });
    if (row) await tx.query('delete from batch_result where batch_id = $1', [claim.key[0]]);
    return row && row.status;
  }

  /** Counted and read in one statement: a batch may end meanwhile, and has no results then. */
  private async counted(batches: Batch[]): Promise<Batch[]> {
    const counts: Pick<Batch, 'id' | 'completed' | 'failed'>[] = await this.db.query(
      `select b.id, b.completed + count(*) filter (where r.succeeded)::int as completed,
         b.failed + count(*) filter (where not r.succeeded)::int as failed
       from batch b left join batch_result r on r.batch_id = b.id where b.id = any($1) group by b.id`,
      [batches.map(({ id }) => id)],
    );
    return batches.map((batch) => ({ ...batch, ...counts.find(({ id }) => id === batch.id) }));
  }
}
