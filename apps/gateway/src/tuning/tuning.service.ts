import type {
  CreateTuningJobRequest,
  DatasetRowView,
  ListBody,
  TuningEventView,
  TuningJobView,
  TuningMetricView,
} from '@attune/contracts';
import { FeedbackRepository, TuningRepository } from '@attune/persistence';
import { ConflictError, type Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { list, page } from '../core/list.js';
import { CONFIG } from '../core/tokens.js';
import { eventView, jobView, metricView, rowView } from './tuning.view.js';

/** Training jobs as people see them; the work is the trainer's. */
@Injectable()
export class TuningService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly jobs: TuningRepository,
    private readonly feedback: FeedbackRepository,
  ) {}

  /** @throws ConflictError when no trainer runs, a job is unfinished, or too little feedback is approved */
  async start(request: CreateTuningJobRequest): Promise<TuningJobView> {
    const { tuning, tuningMinRows } = this.config.tuning;
    if (tuning === 'off') throw new ConflictError('TUNING is `off`, so no trainer runs; start with TUNING=manual.');
    const { total, jobUnfinished } = await this.feedback.approvedSinceLastJob();
    if (jobUnfinished) throw new ConflictError('A job is queued or running already; wait for it or cancel it.');
    if (total < tuningMinRows && request.config.data.files.length === 0) {
      throw new ConflictError(
        `${total} approved pieces of feedback give training rows, but TUNING_MIN_ROWS asks for ${tuningMinRows}; review more first.`,
      );
    }
    const job = await this.jobs.enqueue({ trigger: 'button', config: request.config, note: request.note });
    return this.get(job.id);
  }

  async list(limit: number): Promise<ListBody<TuningJobView>> {
    return page((await this.jobs.list(limit + 1)).map(jobView), limit);
  }

  async get(id: string): Promise<TuningJobView> {
    return jobView(await this.jobs.get(id));
  }

  async cancel(id: string): Promise<TuningJobView> {
    await this.jobs.cancel(id);
    return this.get(id);
  }

  /** Its state is kept, and the queue is free for another job. */
  async pause(id: string): Promise<TuningJobView> {
    await this.jobs.requestPause(id);
    return this.get(id);
  }

  async resume(id: string): Promise<TuningJobView> {
    await this.jobs.requestResume(id);
    return this.get(id);
  }

  async events(id: string, after: number): Promise<ListBody<TuningEventView>> {
    await this.jobs.get(id);
    return list((await this.jobs.events(id, after)).map(eventView));
  }

  async metrics(id: string, after: number): Promise<ListBody<TuningMetricView>> {
    await this.jobs.get(id);
    return list((await this.jobs.metrics(id, after)).map(metricView));
  }

  async rows(id: string): Promise<ListBody<DatasetRowView>> {
    await this.jobs.get(id);
    return list((await this.jobs.datasetRows(id)).map(rowView));
  }
}
