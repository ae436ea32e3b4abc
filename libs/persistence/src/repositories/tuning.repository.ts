import { channels, type TuningJobConfig, type TuningTrigger } from '@attune/contracts';
import { ConflictError, createId, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import {
  DatasetRow,
  type EventLevel,
  TuningEvent,
  TuningJob,
  TuningMetric,
  type TuningProgress,
} from '../entities/index.js';
import { mergeMetrics } from '../merge-metrics.js';
import { isUniqueViolation } from '../postgres-errors.js';

export interface NewJob {
  trigger: TuningTrigger;
  config: TuningJobConfig;
  note?: string;
}
export interface ClaimOptions {
  /** A running job whose worker has been silent for longer may be taken over. */
  staleSeconds: number;
  /** A job that was taken this often and never ended is given up. */
  maxAttempts: number;
}
export interface JobWithCounts extends TuningJob {
  numDemonstrations: number;
  numPreferences: number;
}
export interface ClaimedJob extends JobWithCounts {
  /** Whether it was taken from a worker that fell silent: the attempt before ended without a word. */
  takenOver: boolean;
}
/** `lost`: the job is not this worker's any more (taken over, or ended); stop without writing anything. */
export type Heartbeat = 'continue' | 'cancel' | 'pause' | 'lost';
export interface NewEvent {
  level: EventLevel;
  message: string;
  data?: object;
}
export interface NewMetric {
  stage: string;
  step: number;
  values: Record<string, number>;
}
/** `origin` left out: feedback; `label` only of a thumb. */
export type NewDatasetRow = Pick<DatasetRow, 'feedbackId' | 'kind' | 'split' | 'prompt' | 'chosen' | 'rejected'> &
  Partial<Pick<DatasetRow, 'origin' | 'label' | 'item'>>;

const ROWS_PER_INSERT = 2_000;

/** The queue of training jobs, and what each of them wrote down. */
export class TuningRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Queues a job and wakes the trainers.
   * @throws ConflictError when another job is queued or running; the database holds one unfinished job at most
   */
  async enqueue(row: NewJob): Promise<TuningJob> {
    const id = createId('job');
    const insert = this.db.transaction(async (tx) => {
      await tx.getRepository(TuningJob).insert({ id, ...row });
      await tx.query('select pg_notify($1, $2)', [channels.jobQueued, id]);
    });
    await insert.catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error;
      throw new ConflictError('A job is queued or running already; wait for it or cancel it.', { cause: error });
    });
    return this.get(id);
  }

  /**
   * Takes the oldest job that is queued, or that runs on a worker which has fallen silent; null when there is none.
   * Two workers never get the same job: rows another one is looking at are skipped.
   */
  async claim(workerId: string, options: ClaimOptions): Promise<ClaimedJob | null> {
    await this.giveUpOn(options);
    const rows: [{ id: string; takenOver: boolean }[], number] = await this.db.query(
      `with next as (
         select id, status from tuning_job
         where status = 'queued' or (status = 'running' and heartbeat_at < now() - make_interval(secs => $2))
         order by created_at for update skip locked limit 1)
       update tuning_job j set status = 'running', worker_id = $1, heartbeat_at = now(), attempt = attempt + 1,
         started_at = coalesce(started_at, now())
       from next where j.id = next.id
       returning j.id, next.status = 'running' as "takenOver"`,
      [workerId, options.staleSeconds],
    );
    const claimed = rows[0][0];
    return claimed ? { ...(await this.get(claimed.id)), takenOver: claimed.takenOver } : null;
  }

  /** Says that the worker lives, and hears whether it should go on. Every few seconds, well below `staleSeconds`. */
  async heartbeat(jobId: string, workerId: string): Promise<Heartbeat> {
    const [rows]: [{ cancel: boolean; pause: boolean }[], number] = await this.db.query(
      `update tuning_job set heartbeat_at = now() where id = $1 and worker_id = $2 and status = 'running'
       returning cancel_requested_at is not null as cancel, pause_requested_at is not null as pause`,
      [jobId, workerId],
    );
    if (rows.length === 0) return 'lost';
    return rows[0].cancel ? 'cancel' : rows[0].pause ? 'pause' : 'continue';
  }

  /** @throws ConflictError when the job is not this worker's any more */
  async progress(jobId: string, workerId: string, progress: TuningProgress): Promise<void> {
    await this.changeOwn(jobId, workerId, { progress });
  }

  /** @throws ConflictError when the job is not this worker's any more */
  async finish(jobId: string, workerId: string, result: { checkpointId: string | null }): Promise<void> {
    await this.changeOwn(jobId, workerId, { status: 'succeeded', ...result, ...ended });
  }

  /** @throws ConflictError when the job is not this worker's any more */
  async fail(jobId: string, workerId: string, error: string): Promise<void> {
    await this.changeOwn(jobId, workerId, { status: 'failed', error, ...ended });
  }

  /** The worker has stopped because it was asked to. @throws ConflictError when the job is not its own any more */
  async markCancelled(jobId: string, workerId: string): Promise<void> {
    await this.changeOwn(jobId, workerId, { status: 'cancelled', ...ended });
  }

  /**
   * The worker has stopped, its state saved, because it was asked to pause; a job resumed meanwhile waits for a worker.
   * @throws ConflictError when the job is not its own any more
   */
  async markPaused(jobId: string, workerId: string): Promise<void> {
    const [rows]: [unknown[], number] = await this.db.query(
      `update tuning_job set worker_id = null, heartbeat_at = null, attempt = greatest(attempt - 1, 0),
         status = case when pause_requested_at is null then 'queued' else 'paused' end
       where id = $1 and worker_id = $2 and status = 'running' returning pg_notify($3, id)`,
      [jobId, workerId, channels.jobQueued],
    );
    if (rows.length === 0) throw notHeld(jobId, workerId);
  }

  /**
   * Pauses a queued job at once; asks the worker of a running one to save its state and stop.
   * @throws NotFoundError
   * @throws ConflictError when the job has ended
   */
  async requestPause(jobId: string): Promise<TuningJob> {
    const [rows]: [unknown[], number] = await this.db.query(
      `update tuning_job set pause_requested_at = coalesce(pause_requested_at, now()),
         status = case status when 'queued' then 'paused' else status end
       where id = $1 and status in ('queued', 'running', 'paused') returning pg_notify($2, id)`,
      [jobId, channels.jobCancelled],
    );
    const job = await this.get(jobId);
    if (rows.length === 0) throw new ConflictError(`Job \`${jobId}\` is ${job.status} and cannot be paused.`);
    return job;
  }

  /**
   * Lets a paused job go on from its saved state, and takes a request to pause back.
   * @throws NotFoundError
   * @throws ConflictError when the job has ended, or another one is queued or running
   */
  async requestResume(jobId: string): Promise<TuningJob> {
    const resume = this.db.query(
      `update tuning_job set pause_requested_at = null,
         status = case status when 'paused' then 'queued' else status end
       where id = $1 and status in ('queued', 'running', 'paused') returning pg_notify($2, id)`,
      [jobId, channels.jobQueued],
    ) as Promise<[unknown[], number]>;
    const [rows] = await resume.catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error;
      throw new ConflictError('Another job is queued or running; wait for it or cancel it, then resume this one.', {
        cause: error,
      });
    });
    const job = await this.get(jobId);
    if (rows.length === 0) throw new ConflictError(`Job \`${jobId}\` is ${job.status} and cannot be resumed.`);
    return job;
  }

  /**
   * Gives a job back because its worker stops in good order: it waits for the next one, and this attempt does not count.
   * One that a person has cancelled meanwhile ends here.
   * @throws ConflictError when the job is not this worker's any more
   */
  async release(jobId: string, workerId: string): Promise<void> {
    const [rows]: [unknown[], number] = await this.db.query(
      `update tuning_job set worker_id = null, heartbeat_at = null, attempt = greatest(attempt - 1, 0),
         status = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
         finished_at = case when cancel_requested_at is null then null else clock_timestamp() end
       where id = $1 and worker_id = $2 and status = 'running' returning pg_notify($3, id)`,
      [jobId, workerId, channels.jobQueued],
    );
    if (rows.length === 0) throw notHeld(jobId, workerId);
  }

  /**
   * Cancels a queued or paused job at once; asks the worker of a running one to stop.
   * @throws NotFoundError
   * @throws ConflictError when the job has ended
   */
  async cancel(jobId: string): Promise<TuningJob> {
    const [rows]: [unknown[], number] = await this.db.query(
      `update tuning_job set cancel_requested_at = coalesce(cancel_requested_at, now()),
         finished_at = case when status in ('queued', 'paused') then now() end,
         status = case when status in ('queued', 'paused') then 'cancelled' else status end
       where id = $1 and status in ('queued', 'running', 'paused') returning pg_notify($2, id)`,
      [jobId, channels.jobCancelled],
    );
    const job = await this.get(jobId);
    if (rows.length === 0) throw new ConflictError(`Job \`${jobId}\` is ${job.status} and cannot be cancelled.`);
    return job;
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<JobWithCounts> {
    const [job] = await this.withCounts(await this.db.getRepository(TuningJob).findBy({ id }));
    if (!job) throw new NotFoundError(`There is no tuning job \`${id}\`.`);
    return job;
  }

  /** Newest first. */
  async list(limit: number): Promise<JobWithCounts[]> {
    const order = { createdAt: 'desc', id: 'desc' } as const;
    return this.withCounts(await this.db.getRepository(TuningJob).find({ order, take: limit }));
  }

  /** Adds sentences to the job's diary, in one statement. */
  async appendEvents(jobId: string, events: NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.db.query(
      `insert into tuning_event (job_id, seq, level, message, data)
       select $1, (select coalesce(max(seq), 0) from tuning_event where job_id = $1) + e.place,
         e.event ->> 'level', e.event ->> 'message', e.event -> 'data'
       from jsonb_array_elements($2::jsonb) with ordinality as e(event, place)`,
      [jobId, storableJsonText(events)],
    );
  }

  /**
   * Adds the numbers of training steps, in one statement. A step written twice (a job that went on from a state saved
   * earlier repeats some) keeps its place and takes the newer numbers.
   */
  async appendMetrics(jobId: string, metrics: NewMetric[]): Promise<void> {
    if (metrics.length === 0) return;
    await this.db.query(
      `insert into tuning_metric (job_id, seq, stage, step, "values")
       select $1, (select coalesce(max(seq), 0) from tuning_metric where job_id = $1) + m.place,
         m.metric ->> 'stage', (m.metric ->> 'step')::int, m.metric -> 'values'
       from jsonb_array_elements($2::jsonb) with ordinality as m(metric, place)
       on conflict (job_id, stage, step) do update set "values" = tuning_metric."values" || excluded."values",
         created_at = excluded.created_at`,
      [jobId, storableJsonText(mergeMetrics(metrics))],
    );
  }

  events(jobId: string, after = 0): Promise<TuningEvent[]> {
    return this.recordsOf(TuningEvent, jobId, after).getMany();
  }

  metrics(jobId: string, after = 0): Promise<TuningMetric[]> {
    return this.recordsOf(TuningMetric, jobId, after).getMany();
  }

  /** Stores the dataset of a job in place of the one an earlier attempt may have stored. */
  async replaceDatasetRows(jobId: string, rows: NewDatasetRow[]): Promise<void> {
    await this.db.transaction(async (tx) => {
      await tx.getRepository(DatasetRow).delete({ jobId });
      await insertRows(tx, jobId, rows);
    });
  }

  /** In the order they were stored. */
  datasetRows(jobId: string): Promise<DatasetRow[]> {
    return this.db.getRepository(DatasetRow).find({ where: { jobId }, order: { ordinal: 'asc' } });
  }

  /** Every dataset row made from a piece of feedback, over all jobs: feedback -> what was trained on it. */
  rowsOfFeedback(feedbackId: string): Promise<DatasetRow[]> {
    return this.db.getRepository(DatasetRow).find({ where: { feedbackId }, order: { jobId: 'asc', ordinal: 'asc' } });
  }

  private async giveUpOn({ staleSeconds, maxAttempts }: ClaimOptions): Promise<void> {
    await this.db.query(
      `update tuning_job set status = 'failed', finished_at = now(),
         error = format('Given up: the trainer stopped without a word %s times while it worked on this job.', attempt)
       where status = 'running' and attempt >= $2 and heartbeat_at < now() - make_interval(secs => $1)`,
      [staleSeconds, maxAttempts],
    );
  }

  private async changeOwn(jobId: string, workerId: string, values: JobChange): Promise<void> {
    const own = { id: jobId, workerId, status: 'running' as const };
    const result = await this.db.getRepository(TuningJob).update(own, values);
    if (!result.affected) throw notHeld(jobId, workerId);
  }

  private recordsOf<T extends TuningEvent | TuningMetric>(entity: new () => T, jobId: string, after: number) {
    return this.db
      .getRepository<T>(entity)
      .createQueryBuilder('r')
      .where('r.jobId = :jobId and r.seq > :after', { jobId, after })
      .orderBy('r.seq', 'ASC');
  }

  private async withCounts(jobs: TuningJob[]): Promise<JobWithCounts[]> {
    const counts: { job_id: string; kind: string; count: number }[] = await this.db.query(
      'select job_id, kind, count(*)::int as count from dataset_row where job_id = any($1) group by job_id, kind',
      [jobs.map((job) => job.id)],
    );
    const count = (id: string, kind: string) =>
      counts.find((row) => row.job_id === id && row.kind === kind)?.count ?? 0;
    return jobs.map((job) => ({
      ...job,
      numDemonstrations: count(job.id, 'demonstration'),
      numPreferences: count(job.id, 'preference'),
    }));
  }
}

const notHeld = (jobId: string, workerId: string) =>
  new ConflictError(`Job \`${jobId}\` is not held by worker \`${workerId}\` any more.`);
const ended = { finishedAt: () => 'clock_timestamp()' };
type JobChange = { [K in 'status' | 'progress' | 'error' | 'checkpointId']?: TuningJob[K] } & {
  finishedAt?: () => string;
};

async function insertRows(tx: EntityManager, jobId: string, rows: NewDatasetRow[]): Promise<void> {
  const complete = rows.map((row, ordinal) => ({ id: createId('row'), jobId, ordinal, ...row }));
  for (let start = 0; start < complete.length; start += ROWS_PER_INSERT) {
    // typeorm's type has no word for JSON of any shape.
    const part = complete.slice(start, start + ROWS_PER_INSERT) as QueryDeepPartialEntity<DatasetRow>[];
    await tx.getRepository(DatasetRow).insert(part);
  }
}
