import type { ChatMessage, DatasetRowKind, DatasetRowOrigin } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, json, optionalBoolean, optionalJson, optionalText, text } from './columns.js';

/** What a job was trained on, and which piece of feedback it came from: the middle link of the lineage. */
@Entity('dataset_row')
export class DatasetRow {
  @PrimaryColumn(text) id!: string;
  @Column(text) jobId!: string;
  /** Null unless `origin` is feedback. */
  @Column(optionalText) feedbackId!: string | null;
  @Column({ ...text, default: 'feedback' }) origin!: DatasetRowOrigin;
  @Column(text) kind!: DatasetRowKind;
  @Column(text) split!: 'train' | 'heldout';
  /** Its place in the dataset, from 0. */
  @Column(integer) ordinal!: number;
  @Column(json) prompt!: ChatMessage[];
  /** Empty for a graded row, whose answers are sampled. */
  @Column(text) chosen!: string;
  @Column(optionalText) rejected!: string | null;
  /** Of a thumb: whether `chosen` was liked. */
  @Column(optionalBoolean) label!: boolean | null;
  /** Of a graded row: what its grader reads beside the answer. */
  @Column(optionalJson) item!: Record<string, unknown> | null;
}
