import type { ResponseItem } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigint, json, text, timeOfInsert } from './columns.js';

/** An item of /v1/conversations; `ordinal` is its place. */
@Entity('conversation_item')
export class ConversationItem {
  @PrimaryColumn(text) conversationId!: string;
  @PrimaryColumn(text) id!: string;
  @Column({ ...bigint, insert: false, update: false }) ordinal!: number;
  @Column(json) item!: ResponseItem;
  @Column(timeOfInsert) createdAt!: Date;
}
