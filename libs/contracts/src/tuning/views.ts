import type { TuningJobConfig } from './job.js';

/** `paused`: held until a person resumes it; its state is kept. */
export type TuningJobStatus = 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';
export type TuningTrigger = 'button' | 'threshold' | 'schedule' | 'api';

/** GET /api/tuning/jobs, newest first; GET /api/tuning/jobs/{id}; POST /api/tuning/jobs/{id}/{cancel,pause,resume} */
export interface TuningJobView {
  id: string;
  object: 'tuning.job';
  status: TuningJobStatus;
  trigger: TuningTrigger;
  config: TuningJobConfig;
  /** Where it is: stage, step of num_steps, estimated seconds left. */
  progress: {
    stage: string;
    step: number;
    num_steps: number;
    eta_seconds: number | null;
    /** Of the last steps; left out by stages that train on no tokens. */
    tokens_per_second?: number | null;
    loss?: number | null;
  } | null;
  error: string | null;
  checkpoint_id: string | null;
  num_demonstrations: number;
  num_preferences: number;
  created: number;
  started: number | null;
  finished: number | null;
}
/** GET /api/tuning/jobs/{id}/events */
export interface TuningEventView {
  seq: number;
  level: 'info' | 'warn' | 'error';
  message: string;
  created: number;
}
/** GET /api/tuning/jobs/{id}/metrics?after=<seq>: one row a step; `values` holds the stage's own numbers (loss, grad_norm, lr, reward_mean, kl …). */
export interface TuningMetricView {
  seq: number;
  stage: string;
  step: number;
  values: Record<string, number>;
  created: number;
}
/** A demonstration is imitated, a preference compares two answers, a thumb judges one; a graded row has no answer yet. */
export type DatasetRowKind = 'demonstration' | 'preference' | 'thumb' | 'graded';
/** `file`: an uploaded or local file; `constitution`: written or judged by a model under a constitution. */
export type DatasetRowOrigin = 'feedback' | 'file' | 'constitution';

/** GET /api/tuning/jobs/{id}/rows: the dataset with its lineage. */
export interface DatasetRowView {
  id: string;
  kind: DatasetRowKind;
  split: 'train' | 'heldout';
  /** Null for rows that no person's feedback stands behind. */
  feedback_id: string | null;
  origin: DatasetRowOrigin;
  /** Of a thumb: whether the answer was liked. */
  label: boolean | null;
  prompt: { role: string; content: string }[];
  /** Empty for a graded row. */
  chosen: string;
  rejected: string | null;
  /** Of a graded row: the fields its grader reads beside the answer. */
  item: Record<string, unknown> | null;
}
