import { Column, Entity, PrimaryColumn } from 'typeorm';
import { json, optionalTime, text, timeOfInsert } from './columns.js';

@Entity('conversation')
export class Conversation {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) title!: string;
  @Column({ ...json, default: () => `'{}'` }) metadata!: Record<string, string>;
  @Column(timeOfInsert) createdAt!: Date;
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) updatedAt!: Date;
  @Column(optionalTime) deletedAt!: Date | null;
}
