import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, json, optionalJson, text, timeOfInsert } from './columns.js';

export type EventLevel = 'info' | 'warn' | 'error';

/** A sentence of a job's diary. */
@Entity('tuning_event')
export class TuningEvent {
  @PrimaryColumn(text) jobId!: string;
  /** Counts from 1 within the job. */
  @PrimaryColumn(integer) seq!: number;
  @Column(text) level!: EventLevel;
  @Column(text) message!: string;
  @Column(optionalJson) data!: object | null;
  @Column(timeOfInsert) createdAt!: Date;
}

/** The numbers of one training step. */
@Entity('tuning_metric')
export class TuningMetric {
  @PrimaryColumn(text) jobId!: string;
  @PrimaryColumn(integer) seq!: number;
  @Column(text) stage!: string;
  @Column(integer) step!: number;
  @Column(json) values!: Record<string, number>;
  @Column(timeOfInsert) createdAt!: Date;
}
