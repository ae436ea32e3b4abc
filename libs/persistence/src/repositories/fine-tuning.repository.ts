import { channels, type ListFineTuningJobsQuery, type PageQuery, type TuningJobConfig } from '@attune/contracts';
import { createId, NotFoundError } from '@attune/platform';
import { DataSource } from 'typeorm';
import { Checkpoint, FineTuningJob, TuningJob } from '../entities/index.js';
import { inOrder, keyset } from './keyset.js';

export type NewFineTuningJob = Pick<
  FineTuningJob,
  'userId' | 'model' | 'trainingFile' | 'validationFile' | 'method' | 'suffix' | 'metadata'
> & { config: TuningJobConfig };

/** A job as it was asked for, as it goes, and what came of it. */
export interface FineTuningRecord {
  asked: FineTuningJob;
  work: TuningJob;
  checkpoint: Checkpoint | null;
}

export interface FineTuningEvent {
  /** Where it stands in the job's history: cursor and id. */
  key: string;
  at: Date;
  level: 'info' | 'warn' | 'error';
  message: string;
  type: 'message' | 'metrics';
  data: Record<string, unknown>;
}

/** Sentences and steps in one history; the key orders what happened in the same instant. */
const HISTORY = `
  select 'm' || lpad(seq::text, 9, '0') as key, created_at as at, level, message, 'message' as type,
    coalesce(data, '{}'::jsonb) as data
  from tuning_event where job_id = $1
  union all
  select 's' || lpad(seq::text, 9, '0'), created_at, 'info',
    format('%s step %s', stage, step), 'metrics', "values" || jsonb_build_object('stage', stage, 'step', step)
  from tuning_metric where job_id = $1`;

/** Fine-tuning jobs of the API; a user sees only their own. */
export class FineTuningRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Queues the job and wakes the trainers.
   * @param id chosen by whoever wants to find a job whose making was not heard of
   */
  async create({ config, ...asked }: NewFineTuningJob, id = createId('job')): Promise<FineTuningRecord> {
    await this.db.transaction(async (tx) => {
      await tx.getRepository(TuningJob).insert({ id, trigger: 'api', config });
      await tx.getRepository(FineTuningJob).insert({ id, ...asked });
      await tx.query('select pg_notify($1, $2)', [channels.jobQueued, id]);
    });
    return this.get(id, asked.userId);
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<FineTuningRecord> {
    const asked = await this.db.getRepository(FineTuningJob).findOneBy({ id, userId });
    if (!asked) throw new NotFoundError(`There is no fine-tuning job \`${id}\`.`, { param: 'fine_tuning_job_id' });
    return this.record(asked);
  }

  async list(
    userId: string,
    { metadata, ...page }: ListFineTuningJobsQuery,
  ): Promise<{ rows: FineTuningRecord[]; hasMore: boolean }> {
    const jobs = this.db.getRepository(FineTuningJob).createQueryBuilder('j').where('j.userId = :userId', { userId });
    if (metadata) jobs.andWhere('j.metadata @> :metadata::jsonb', { metadata: JSON.stringify(metadata) });
    const { rows, hasMore } = inOrder(await keyset(jobs, page, 'fine_tuning_job').getMany(), page);
    return { rows: await Promise.all(rows.map((asked) => this.record(asked))), hasMore };
  }

  /** Newest first unless asked otherwise; `after` and `before` are keys. */
  async events(jobId: string, { after, before, limit, order }: PageQuery) {
    const ascending = order === 'asc';
    const backwards = before !== undefined && after === undefined;
    const forward = ascending !== backwards;
    const cursor = after ?? before ?? null;
    const rows: FineTuningEvent[] = await this.db.query(
      `with history as (${HISTORY})
       select * from history
       where $2::text is null or (at, key) ${forward ? '>' : '<'} (select c.at, c.key from history c where c.key = $2)
       order by at ${forward ? 'asc' : 'desc'}, key ${forward ? 'asc' : 'desc'} limit $3`,
      [jobId, cursor, limit + 1],
    );
    return inOrder(rows, { after, before, limit, order });
  }

  /** Every step's numbers, in order. */
  metrics(jobId: string): Promise<{ stage: string; step: number; values: Record<string, number> }[]> {
    return this.db.query('select stage, step, "values" from tuning_metric where job_id = $1 order by seq', [jobId]);
  }

  /** @returns whether this was the first file; another gateway's stays. */
  async setResultFile(jobId: string, fileId: string): Promise<boolean> {
    const result = await this.db
      .createQueryBuilder()
      .update(FineTuningJob)
      .set({ resultFile: fileId })
      .where('id = :jobId and result_file is null', { jobId })
      .execute();
    return result.affected === 1;
  }

  private async record(asked: FineTuningJob): Promise<FineTuningRecord> {
    const work = await this.db.getRepository(TuningJob).findOneByOrFail({ id: asked.id });
    const checkpoint = await this.db.getRepository(Checkpoint).findOneBy({ jobId: asked.id });
    return { asked, work, checkpoint };
  }
}
