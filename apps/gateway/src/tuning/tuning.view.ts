import type { DatasetRowView, TuningEventView, TuningJobView, TuningMetricView } from '@attune/contracts';
import type { DatasetRow, JobWithCounts, TuningEvent, TuningMetric } from '@attune/persistence';
import { seconds, secondsOrNull } from '../core/seconds.js';

export const jobView = (job: JobWithCounts): TuningJobView => ({
  id: job.id,
  object: 'tuning.job',
  status: job.status,
  trigger: job.trigger,
  config: job.config,
  progress: job.progress && {
    stage: job.progress.stage,
    step: job.progress.step,
    num_steps: job.progress.numSteps,
    eta_seconds: job.progress.etaSeconds,
    tokens_per_second: job.progress.tokensPerSecond ?? null,
    loss: job.progress.loss ?? null,
  },
  error: job.error,
  checkpoint_id: job.checkpointId,
  num_demonstrations: job.numDemonstrations,
  num_preferences: job.numPreferences,
  created: seconds(job.createdAt),
  started: secondsOrNull(job.startedAt),
  finished: secondsOrNull(job.finishedAt),
});

export const eventView = (event: TuningEvent): TuningEventView => ({
  seq: event.seq,
  level: event.level,
  message: event.message,
  created: seconds(event.createdAt),
});

export const metricView = (metric: TuningMetric): TuningMetricView => ({
  seq: metric.seq,
  stage: metric.stage,
  step: metric.step,
  values: metric.values,
  created: seconds(metric.createdAt),
});

export const rowView = (row: DatasetRow): DatasetRowView => ({
  id: row.id,
  kind: row.kind,
  split: row.split,
  feedback_id: row.feedbackId,
  origin: row.origin,
  label: row.label,
  prompt: row.prompt,
  chosen: row.chosen,
  rejected: row.rejected,
  item: row.item,
});
