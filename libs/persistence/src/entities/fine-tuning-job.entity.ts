import type { FineTuningMethod, Metadata } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { json, optionalJson, optionalText, text, timeOfInsert } from './columns.js';

/** A training job as it was asked for through the API; the row of the same id in `tuning_job` does the work. */
@Entity('fine_tuning_job')
export class FineTuningJob {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) model!: string;
  @Column(text) trainingFile!: string;
  @Column(optionalText) validationFile!: string | null;
  @Column(json) method!: FineTuningMethod;
  @Column(optionalText) suffix!: string | null;
  @Column(optionalJson) metadata!: Metadata | null;
  /** Metrics of every step as a file; written when the job has succeeded and is looked at. */
  @Column(optionalText) resultFile!: string | null;
  @Column(timeOfInsert) createdAt!: Date;
}
