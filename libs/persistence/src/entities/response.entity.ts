import type { ResponseItem, ResponseObject, ResponseStatus } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigint, json, optionalText, optionalTime, text, timeOfInsert } from './columns.js';

/** A stored response of /v1/responses. The answer itself is the completion of the same id. */
@Entity('response')
export class StoredResponse {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) status!: ResponseStatus;
  @Column(optionalText) previousResponseId!: string | null;
  /** The conversation it was asked in, and the last of its items the model was shown. */
  @Column(optionalText) conversationId!: string | null;
  @Column({ ...bigint, nullable: true }) conversationUntil!: number | null;
  /** The items of this request alone. */
  @Column(json) input!: ResponseItem[];
  /** As clients were last told. */
  @Column(json) body!: ResponseObject;
  /** Moved on by the gateway that is answering; one that stands still was left by a gateway that ended. */
  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' }) heartbeatAt!: Date;
  /** When somebody last followed the stream on another gateway. */
  @Column(optionalTime) readAt!: Date | null;
  @Column({ type: 'boolean', default: false }) cancelRequested!: boolean;
  @Column(timeOfInsert) createdAt!: Date;
  @Column(optionalTime) endedAt!: Date | null;
  @Column(optionalTime) deletedAt!: Date | null;
}
