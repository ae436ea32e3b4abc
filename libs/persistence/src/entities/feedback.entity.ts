import type { FeedbackType, ReviewStatus } from '@attune/contracts';
import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { optionalText, text, timeOfInsert } from './columns.js';
import { Completion } from './completion.entity.js';

@Entity('feedback')
export class Feedback {
  @PrimaryColumn(text) id!: string;
  /** For a choice: the answer that was preferred. */
  @Column(text) completionId!: string;
  @ManyToOne(() => Completion) @JoinColumn() completion!: Relation<Completion>;
  @Column(optionalText) rejectedCompletionId!: string | null;
  @ManyToOne(() => Completion, { nullable: true }) @JoinColumn() rejectedCompletion!: Relation<Completion> | null;
  @Column(text) userId!: string;
  @Column(text) type!: FeedbackType;
  @Column(optionalText) value!: 'up' | 'down' | null;
  /** For a correction: the answer it should have been. */
  @Column(optionalText) text!: string | null;
  @Column(optionalText) comment!: string | null;
  @Column({ type: 'text', default: 'pending' }) status!: ReviewStatus;
  @Column(timeOfInsert) createdAt!: Date;
}
