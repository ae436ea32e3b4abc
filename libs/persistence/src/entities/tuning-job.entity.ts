import type { TuningJobConfig, TuningJobStatus, TuningTrigger } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, json, optionalJson, optionalText, optionalTime, text, timeOfInsert } from './columns.js';

export interface TuningProgress {
  stage: string;
  step: number;
  numSteps: number;
  etaSeconds: number | null;
  tokensPerSecond?: number | null;
  loss?: number | null;
}

@Entity('tuning_job')
export class TuningJob {
  @PrimaryColumn(text) id!: string;
  @Column({ type: 'text', default: 'queued' }) status!: TuningJobStatus;
  @Column(text) trigger!: TuningTrigger;
  @Column(json) config!: TuningJobConfig;
  @Column(optionalJson) progress!: TuningProgress | null;
  /** The worker that holds the job; another one may take it once `heartbeatAt` is old. */
  @Column(optionalText) workerId!: string | null;
  @Column(optionalTime) heartbeatAt!: Date | null;
  /** How often a worker has taken the job, the first time included. */
  @Column({ ...integer, default: 0 }) attempt!: number;
  @Column(optionalText) error!: string | null;
  @Column(optionalText) checkpointId!: string | null;
  @Column(optionalText) note!: string | null;
  @Column(timeOfInsert) createdAt!: Date;
  @Column(optionalTime) startedAt!: Date | null;
  @Column(optionalTime) finishedAt!: Date | null;
  @Column(optionalTime) cancelRequestedAt!: Date | null;
  @Column(optionalTime) pauseRequestedAt!: Date | null;
}
