import type {
  CreateEvalRequest,
  CreateEvalRunRequest,
  ListEvalRunsQuery,
  ListOutputItemsQuery,
  PageQuery,
  UpdateEvalRequest,
} from '@attune/contracts';
import { ConflictError, createId, NotFoundError } from '@attune/platform';
import { DataSource } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import { Eval, EvalOutputItem, EvalRun } from '../entities/index.js';
import { LeasedQueue, LET_GO, type Claim } from '../leased-queue.js';
import { recordOf, type EvalRunRecord } from './eval-run-record.js';
import { inOrder, keyset } from './keyset.js';

export type NewOutputItem = Pick<EvalOutputItem, 'ordinal' | 'item' | 'results' | 'sample' | 'status'>;

export interface ClaimedRun {
  claim: Claim;
  run: EvalRun;
  of: Eval;
}

/** Evals, their runs and what those found; a user sees only their own. */
export class EvalRepository {
  readonly queue: LeasedQueue;

  constructor(private readonly db: DataSource) {
    this.queue = new LeasedQueue(db, {
      table: 'eval_run',
      key: ['id'],
      open: `status in ('queued', 'in_progress')`,
      onClaim: `status = 'in_progress'`,
      progress: 'select count(*) from eval_output_item i where i.run_id = q.id',
    });
  }

  async create(userId: string, request: CreateEvalRequest): Promise<Eval> {
    const id = createId('eval');
    const row: Omit<Eval, 'createdAt'> = {
      id,
      userId,
      name: request.name ?? id,
      dataSourceConfig: request.data_source_config,
      testingCriteria: request.testing_criteria,
      metadata: request.metadata ?? null,
    };
    await this.db.getRepository(Eval).insert(row as object);
    return this.get(id, userId);
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<Eval> {
    const found = await this.db.getRepository(Eval).findOneBy({ id, userId });
    if (!found) throw new NotFoundError(`There is no eval \`${id}\`.`, { param: 'eval_id' });
    return found;
  }

  async list(userId: string, query: PageQuery): Promise<{ rows: Eval[]; hasMore: boolean }> {
    const evals = this.db.getRepository(Eval).createQueryBuilder('e').where('e.userId = :userId', { userId });
    return inOrder(await keyset(evals, query, 'eval').getMany(), query);
  }

  async update(id: string, userId: string, { name, metadata }: UpdateEvalRequest): Promise<Eval> {
    await this.get(id, userId);
    const change = { ...(name !== undefined && { name }), ...(metadata !== undefined && { metadata }) };
    if (Object.keys(change).length > 0) await this.db.getRepository(Eval).update({ id }, change);
    return this.get(id, userId);
  }

  async remove(id: string, userId: string): Promise<void> {
    await this.get(id, userId);
    await this.db.getRepository(Eval).delete({ id });
  }

  async createRun(
    evalId: string,
    { userId, keyId }: { userId: string; keyId: string },
    request: CreateEvalRunRequest,
    model: string,
    id = createId('evalrun'),
  ): Promise<EvalRunRecord> {
    await this.get(evalId, userId);
    const row: Partial<EvalRun> = {
      id,
      evalId,
      apiKeyId: keyId,
      name: request.name ?? id,
      model,
      dataSource: request.data_source,
      metadata: request.metadata ?? null,
    };
    await this.db.getRepository(EvalRun).insert(row as object);
    return this.run(evalId, id, userId);
  }

  /** @throws NotFoundError */
  async run(evalId: string, id: string, userId: string): Promise<EvalRunRecord> {
    await this.get(evalId, userId);
    const run = await this.db.getRepository(EvalRun).findOneBy({ id, evalId });
    if (!run) throw new NotFoundError(`There is no run \`${id}\` of \`${evalId}\`.`, { param: 'run_id' });
    return recordOf(this.db, run, userId);
  }

  async runs(
    evalId: string,
    userId: string,
    { status, ...page }: ListEvalRunsQuery,
  ): Promise<{ rows: EvalRunRecord[]; hasMore: boolean }> {
    await this.get(evalId, userId);
    const runs = this.db.getRepository(EvalRun).createQueryBuilder('r').where('r.evalId = :evalId', { evalId });
    if (status) runs.andWhere('r.status = :status', { status });
    const { rows, hasMore } = inOrder(await keyset(runs, page, 'eval_run').getMany(), page);
    return { rows: await Promise.all(rows.map((run) => recordOf(this.db, run, userId))), hasMore };
  }

  /**
   * Ends a run for good: whoever works on it has lost it.
   * @throws ConflictError when it has ended
   */
  async cancelRun(evalId: string, id: string, userId: string): Promise<EvalRunRecord> {
    await this.run(evalId, id, userId);
    const [, cancelled]: [unknown[], number] = await this.db.query(
      `update eval_run set status = 'canceled', ${LET_GO} where id = $1 and status in ('queued', 'in_progress')`,
      [id],
    );
    const record = await this.run(evalId, id, userId);
    if (cancelled > 0) return record;
    throw new ConflictError(`The run \`${id}\` is ${record.run.status} already.`);
  }

  async removeRun(evalId: string, id: string, userId: string): Promise<void> {
    await this.run(evalId, id, userId);
    await this.db.getRepository(EvalRun).delete({ id });
  }

  async items(
    evalId: string,
    runId: string,
    userId: string,
    { status, ...page }: ListOutputItemsQuery,
  ): Promise<{ rows: EvalOutputItem[]; hasMore: boolean }> {
    await this.run(evalId, runId, userId);
    const items = this.db.getRepository(EvalOutputItem).createQueryBuilder('i').where('i.runId = :runId', { runId });
    if (status) items.andWhere('i.status = :status', { status });
    return inOrder(await keyset(items, page, 'eval_output_item').getMany(), page);
  }

  async item(evalId: string, runId: string, id: string, userId: string): Promise<EvalOutputItem> {
    await this.run(evalId, runId, userId);
    const item = await this.db.getRepository(EvalOutputItem).findOneBy({ id, runId });
    if (!item) throw new NotFoundError(`There is no output item \`${id}\` of \`${runId}\`.`);
    return item;
  }

  /** Takes the open run that has waited longest and that no living gateway holds. */
  async claim(): Promise<ClaimedRun | null> {
    const claim = await this.queue.claim();
    if (!claim) return null;
    const run = await this.db.getRepository(EvalRun).findOneBy({ id: claim.key[0] });
    const of = run && (await this.db.getRepository(Eval).findOneBy({ id: run.evalId }));
    // Deleted at this moment.
    return of && { claim, run, of };
  }

  async setTotal(claim: Claim, total: number): Promise<void> {
    await this.queue.change(claim, 'total = $1', { parameters: [total] });
  }

  /** Rows that have been worked on, each with the `id` of its item where it has one. */
  doneItems(runId: string): Promise<{ ordinal: number; key: string | null }[]> {
    return this.db.query(`select ordinal, item ->> 'id' as key from eval_output_item where run_id = $1`, [runId]);
  }

  /** @returns whether the run was still held; otherwise nothing was written */
  addItem(claim: Claim, item: NewOutputItem): Promise<boolean> {
    const row = { id: createId('outputitem'), runId: claim.key[0], ...item };
    return this.queue.whileHeld(claim, async (tx) => {
      await tx
        .createQueryBuilder()
        .insert()
        .into(EvalOutputItem)
        .values(row as object)
        .orIgnore()
        .execute();
    });
  }

  /** Ends a run that is held. @returns whether it was */
  async end(claim: Claim, status: 'completed' | 'failed', error?: { code: string; message: string }): Promise<boolean> {
    const set = `status = $1, error = $2, ${LET_GO}`;
    const parameters = [status, error ? storableJsonText(error) : null];
    return (await this.queue.change(claim, set, { parameters })) !== null;
  }
}
