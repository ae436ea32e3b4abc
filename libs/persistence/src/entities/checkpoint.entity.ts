import type { CheckpointStatus, GateReport } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigint, json, optionalJson, optionalText, text, timeOfInsert } from './columns.js';

@Entity('checkpoint')
export class Checkpoint {
  @PrimaryColumn(text) id!: string;
  @Column(optionalText) jobId!: string | null;
  /** The checkpoint training started from; null = the base weights. */
  @Column(optionalText) parentId!: string | null;
  @Column({ type: 'text', default: 'candidate' }) status!: CheckpointStatus;
  @Column(text) baseDigest!: string;
  /** Null for a full fine-tune, whose weights lie in the folder's `model`. */
  @Column(optionalText) adapterDigest!: string | null;
  /** Base and adapter together; an answer's `system_fingerprint`. */
  @Column(text) weightsDigest!: string;
  /** Name of its folder below DATA_DIR/checkpoints. */
  @Column(text) folder!: string;
  @Column({ ...json, default: () => `'{}'` }) metrics!: Record<string, number>;
  @Column(optionalJson) gateReport!: GateReport | null;
  @Column(timeOfInsert) createdAt!: Date;
}

/** What went live, when, by whose hand; null = the base weights. */
@Entity('promotion')
export class Promotion {
  @PrimaryColumn(text) id!: string;
  /** Order of promotions; two may share a timestamp. */
  @Column({ ...bigint, insert: false, update: false }) seq!: number;
  @Column(optionalText) checkpointId!: string | null;
  @Column(optionalText) previousCheckpointId!: string | null;
  @Column(text) actor!: string;
  @Column(text) reason!: string;
  @Column(timeOfInsert) createdAt!: Date;
}
