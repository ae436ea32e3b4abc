import type { WebhookEventType } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { optionalText, optionalTime, text, timeOfInsert } from './columns.js';

/** Where events are sent; who signs needs the secret itself, so it is kept as it is. */
@Entity('webhook_endpoint')
export class WebhookEndpoint {
  @PrimaryColumn(text) id!: string;
  @Column(text) name!: string;
  @Column(text) url!: string;
  @Column({ type: 'text', array: true }) eventTypes!: WebhookEventType[];
  @Column(text) secret!: string;
  @Column(optionalText) oldSecret!: string | null;
  @Column(optionalTime) oldSecretUntil!: Date | null;
  @Column({ ...timeOfInsert, update: true }) updatedAt!: Date;
  @Column(timeOfInsert) createdAt!: Date;
}
