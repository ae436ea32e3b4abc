import type { BatchEndpoint, BatchError, BatchStatus, Metadata } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, json, optionalJson, optionalText, text, timeOfInsert } from './columns.js';
import { LeasedRow } from './leased-row.js';

@Entity('batch')
export class Batch extends LeasedRow {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  /** The key it was created with; its requests count as that key's. */
  @Column(text) apiKeyId!: string;
  @Column(text) endpoint!: BatchEndpoint;
  @Column(text) inputFileId!: string;
  @Column({ type: 'integer', nullable: true }) outputLifetimeSeconds!: number | null;
  @Column(optionalJson) metadata!: Metadata | null;
  @Column({ type: 'text', default: 'validating' }) status!: BatchStatus;
  /** Unix seconds at which each status was reached. */
  @Column({ ...json, default: () => `'{}'` }) reached!: Partial<Record<BatchStatus, number>>;
  @Column(optionalJson) errors!: BatchError[] | null;
  /** Lines of the input file. */
  @Column({ ...integer, default: 0 }) total!: number;
  /** Lines of a batch that has ended; while it is open, its results are counted. */
  @Column({ ...integer, default: 0 }) completed!: number;
  @Column({ ...integer, default: 0 }) failed!: number;
  @Column(optionalText) outputFileId!: string | null;
  @Column(optionalText) errorFileId!: string | null;
  @Column(timeOfInsert) createdAt!: Date;
}
