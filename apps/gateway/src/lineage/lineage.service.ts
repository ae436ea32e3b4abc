import type { Lineage, LineageCheckpoint, LineageRow } from '@attune/contracts';
import {
  CheckpointRepository,
  CompletionRepository,
  FeedbackRepository,
  TuningRepository,
  type Checkpoint,
  type DatasetRow,
} from '@attune/persistence';
import { Injectable } from '@nestjs/common';

/** A chain of parents longer than this is cut; each is listed with its own job and rows. */
const MOST_ANCESTORS = 100;

/** From an answer to the people whose feedback shaped it, and from feedback to every checkpoint trained on it. */
@Injectable()
export class LineageService {
  constructor(
    private readonly completions: CompletionRepository,
    private readonly checkpoints: CheckpointRepository,
    private readonly tuning: TuningRepository,
    private readonly feedback: FeedbackRepository,
  ) {}

  /** @throws NotFoundError when nothing has this id */
  async trace(id: string): Promise<Lineage> {
    if (id.startsWith('fb_')) return this.ofFeedback(id);
    if (id.startsWith('ckpt_')) return this.ofCheckpoint(id, await this.checkpoints.get(id));
    const completion = await this.completions.get(id);
    const checkpoint = completion.checkpointId ? await this.checkpoints.get(completion.checkpointId) : undefined;
    const lineage = await this.ofCheckpoint(id, checkpoint);
    return { ...lineage, weights_digest: completion.weightsDigest };
  }

  private async ofCheckpoint(id: string, checkpoint: Checkpoint | undefined): Promise<Lineage> {
    const checkpoints: LineageCheckpoint[] = [];
    let next: Checkpoint | undefined = checkpoint;
    while (next && checkpoints.length < MOST_ANCESTORS) {
      checkpoints.push(await this.withRows(next));
      next = next.parentId ? await this.checkpoints.get(next.parentId) : undefined;
    }
    return { object: 'lineage', id, weights_digest: checkpoint?.weightsDigest ?? null, checkpoints };
  }

  private async withRows(checkpoint: Checkpoint): Promise<LineageCheckpoint> {
    const rows = checkpoint.jobId ? await this.tuning.datasetRows(checkpoint.jobId) : [];
    return { ...checkpointLine(checkpoint), rows: await this.rowLines(rows) };
  }

  /** Every checkpoint whose job had a row made of this feedback. */
  private async ofFeedback(id: string): Promise<Lineage> {
    await this.feedback.get(id);
    const rows = await this.tuning.rowsOfFeedback(id);
    const jobIds = [...new Set(rows.map((row) => row.jobId))];
    const jobs = await Promise.all(jobIds.map((jobId) => this.tuning.get(jobId)));
    const checkpoints = await Promise.all(
      jobs
        .filter((job) => job.checkpointId !== null)
        .map(async (job) => ({
          ...checkpointLine(await this.checkpoints.get(job.checkpointId!)),
          rows: await this.rowLines(rows.filter((row) => row.jobId === job.id)),
        })),
    );
    return { object: 'lineage', id, weights_digest: null, checkpoints };
  }

  /** Rows with people behind them; those of files and of a constitution have none. */
  private rowLines(rows: DatasetRow[]): Promise<LineageRow[]> {
    return Promise.all(rows.flatMap((row) => (row.feedbackId === null ? [] : [this.rowLine(row, row.feedbackId)])));
  }

  private async rowLine(row: DatasetRow, feedbackId: string): Promise<LineageRow> {
    const { feedback, review } = await this.feedback.get(feedbackId);
    return {
      id: row.id,
      kind: row.kind,
      split: row.split,
      feedback_id: feedback.id,
      completion_id: feedback.completionId,
      user_id: feedback.userId,
      reviewer_id: review?.reviewerId ?? null,
    };
  }
}

const checkpointLine = (checkpoint: Checkpoint) => ({
  checkpoint_id: checkpoint.id,
  weights_digest: checkpoint.weightsDigest,
  status: checkpoint.status,
  job_id: checkpoint.jobId,
});
