import type {
  EvalDataSourceConfig,
  EvalGradeResult,
  EvalRunDataSource,
  EvalRunStatus,
  EvalSample,
  Grader,
  Metadata,
} from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, json, optionalJson, text, timeOfInsert } from './columns.js';
import { LeasedRow } from './leased-row.js';

@Entity('eval')
export class Eval {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) name!: string;
  @Column(json) dataSourceConfig!: EvalDataSourceConfig;
  @Column(json) testingCriteria!: Grader[];
  @Column(optionalJson) metadata!: Metadata | null;
  @Column(timeOfInsert) createdAt!: Date;
}

@Entity('eval_run')
export class EvalRun extends LeasedRow {
  @PrimaryColumn(text) id!: string;
  @Column(text) evalId!: string;
  /** The key it was created with; what it asks counts as that key's. */
  @Column(text) apiKeyId!: string;
  @Column(text) name!: string;
  @Column(text) model!: string;
  @Column(json) dataSource!: EvalRunDataSource;
  @Column(optionalJson) metadata!: Metadata | null;
  @Column({ type: 'text', default: 'queued' }) status!: EvalRunStatus;
  @Column(optionalJson) error!: { code: string; message: string } | null;
  /** Rows of its data; 0 until they have been read. */
  @Column({ ...integer, default: 0 }) total!: number;
  @Column(timeOfInsert) createdAt!: Date;
}

@Entity('eval_output_item')
export class EvalOutputItem {
  @PrimaryColumn(text) id!: string;
  @Column(text) runId!: string;
  /** The row's place in the data, from 0. */
  @Column(integer) ordinal!: number;
  @Column(json) item!: Record<string, unknown>;
  @Column(json) results!: EvalGradeResult[];
  @Column(json) sample!: EvalSample;
  @Column(text) status!: 'pass' | 'fail' | 'error';
  @Column(timeOfInsert) createdAt!: Date;
}
