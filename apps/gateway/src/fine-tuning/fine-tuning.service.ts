import type {
  CreateFineTuningJobRequest,
  CursorPage,
  FineTuningCheckpointObject,
  FineTuningEventObject,
  FineTuningJobObject,
  ListFineTuningJobsQuery,
  PageQuery,
} from '@attune/contracts';
import {
  CheckpointRepository,
  FileRepository,
  FineTuningRepository,
  TuningRepository,
  type FineTuningRecord,
  type NewFineTuningJob,
} from '@attune/persistence';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { ServedModel } from '../inference/served-model.js';
import { fineTuningCheckpointView, fineTuningEventView, fineTuningJobView } from './fine-tuning.view.js';
import { configOf, methodOf, startOf } from './method-config.js';
import { resultCsv } from './result-csv.js';

const LOOK_MS = 500;
const EVENTS_A_LOOK = 100;

/** Fine-tuning jobs of the API: each is a training job on files, whose checkpoint answers only who names it. */
@Injectable()
export class FineTuningService {
  constructor(
    private readonly model: ServedModel,
    private readonly jobs: FineTuningRepository,
    private readonly work: TuningRepository,
    private readonly files: FileRepository,
    private readonly checkpoints: CheckpointRepository,
  ) {}

  async create(caller: Caller, request: CreateFineTuningJobRequest, id: string): Promise<FineTuningJobObject> {
    const { userId } = caller;
    const { training_file: trainingFile, seed } = request;
    const validationFile = request.validation_file ?? null;
    const start = startOf(request.model, this.model.id);
    if (start !== 'base' && start !== 'live') await this.checkpoints.get(start);
    await this.expectTrainingFile(caller, 'training_file', trainingFile);
    if (validationFile) await this.expectTrainingFile(caller, 'validation_file', validationFile);
    const method = methodOf(request);
    const asked: NewFineTuningJob = {
      userId,
      model: request.model,
      trainingFile,
      validationFile,
      method,
      suffix: request.suffix ?? null,
      metadata: request.metadata ?? null,
      config: configOf({ method, start, userId, trainingFile, validationFile, seed: seed ?? undefined }),
    };
    return this.view(await this.jobs.create(asked, id));
  }

  async list(caller: Caller, query: ListFineTuningJobsQuery): Promise<CursorPage<FineTuningJobObject>> {
    const { rows, hasMore } = await this.jobs.list(caller.userId, query);
    return cursorPage(
      rows.map((record) => this.view(record)),
      hasMore,
    );
  }

  async get(caller: Caller, id: string): Promise<FineTuningJobObject> {
    const record = await this.jobs.get(id, caller.userId);
    if (record.work.status !== 'succeeded' || record.asked.resultFile) return this.view(record);
    await this.writeResults(record);
    return this.view(await this.jobs.get(id, caller.userId));
  }

  /** Cancels, pauses or resumes; a running job does so within a few steps. */
  async change(caller: Caller, id: string, how: 'cancel' | 'requestPause' | 'requestResume') {
    await this.jobs.get(id, caller.userId);
    await this.work[how](id);
    return this.view(await this.jobs.get(id, caller.userId));
  }

  async events(caller: Caller, id: string, query: PageQuery): Promise<CursorPage<FineTuningEventObject>> {
    await this.jobs.get(id, caller.userId);
    const { rows, hasMore } = await this.jobs.events(id, query);
    return cursorPage(rows.map(fineTuningEventView), hasMore);
  }

  /** Events after `after`, oldest first, as they happen, until the job has ended. */
  async *follow(
    caller: Caller,
    id: string,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FineTuningEventObject> {
    for (let seen = after; !signal.aborted;) {
      // Asked before the events: what is told after the end was asked for comes with the next look.
      const { work } = await this.jobs.get(id, caller.userId);
      const { rows, hasMore } = await this.jobs.events(id, { after: seen, limit: EVENTS_A_LOOK, order: 'asc' });
      yield* rows.map(fineTuningEventView);
      seen = rows.at(-1)?.key ?? seen;
      if (!hasMore && work.finishedAt) return;
      if (!hasMore) await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async checkpointsOf(caller: Caller, id: string): Promise<CursorPage<FineTuningCheckpointObject>> {
    const record = await this.jobs.get(id, caller.userId);
    const { checkpoint } = record;
    if (!checkpoint || checkpoint.status === 'rejected') return cursorPage([], false);
    const steps = await this.jobs.metrics(id);
    const last = steps.at(-1);
    const lastStep = { step: last?.step ?? 0, loss: last?.values.loss };
    return cursorPage([fineTuningCheckpointView(record, checkpoint, this.model.id, lastStep)], false);
  }

  private view(record: FineTuningRecord): FineTuningJobObject {
    return fineTuningJobView(record, this.model.id);
  }

  private async expectTrainingFile(caller: Caller, param: string, id: string): Promise<void> {
    const file = await this.files.get(id, caller.userId).catch((cause: unknown) => {
      throw new InvalidRequestError(`There is no file \`${id}\`.`, { param, cause });
    });
    if (file.purpose === 'fine-tune') return;
    throw new InvalidRequestError(
      `\`${id}\` was uploaded for \`${file.purpose}\`; upload it with the purpose \`fine-tune\`.`,
      { param },
    );
  }

  private async writeResults({ asked }: FineTuningRecord): Promise<void> {
    const content = Buffer.from(resultCsv(await this.jobs.metrics(asked.id)));
    const file = await this.files.add({
      userId: asked.userId,
      filename: `step_metrics_${asked.id}.csv`,
      purpose: 'fine-tune-results',
      content,
    });
    if (!(await this.jobs.setResultFile(asked.id, file.id))) await this.files.remove(file.id, asked.userId);
  }
}
