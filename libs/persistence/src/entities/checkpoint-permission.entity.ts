import { Column, Entity, PrimaryColumn } from 'typeorm';
import { text, timeOfInsert } from './columns.js';

/** Lets others than its owner name the checkpoint of a fine-tuning job. */
@Entity('checkpoint_permission')
export class CheckpointPermission {
  @PrimaryColumn(text) id!: string;
  @Column(text) checkpointId!: string;
  /** A user, with all their keys, or one key. */
  @Column(text) projectId!: string;
  @Column(timeOfInsert) createdAt!: Date;
}
