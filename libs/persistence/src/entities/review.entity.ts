import { Column, Entity, PrimaryColumn } from 'typeorm';
import { optionalText, text, timeOfInsert } from './columns.js';

export type Verdict = 'approve' | 'edit' | 'reject';

/** A verdict; the newest one of a piece of feedback counts, the older ones stay as its history. */
@Entity('review')
export class Review {
  @PrimaryColumn(text) id!: string;
  @Column(text) feedbackId!: string;
  @Column(text) reviewerId!: string;
  @Column(text) verdict!: Verdict;
  /** With verdict `edit`: the answer to learn instead. */
  @Column(optionalText) editedText!: string | null;
  @Column(optionalText) note!: string | null;
  @Column(timeOfInsert) createdAt!: Date;
}
