import type { ChunkingStrategy, FileAttributes, Metadata, VectorStoreFileStatus } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, json, optionalJson, optionalText, text, timeOfInsert } from './columns.js';
import { LeasedRow } from './leased-row.js';

@Entity('vector_store')
export class VectorStore {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) name!: string;
  @Column(optionalText) description!: string | null;
  @Column(optionalJson) metadata!: Metadata | null;
  /** Somebody has searched it by meaning, so that files that are added get vectors. */
  @Column({ type: 'boolean', default: false }) byMeaning!: boolean;
  @Column({ type: 'integer', nullable: true }) expiresAfterDays!: number | null;
  /** When it was last searched or changed. */
  @Column({ ...timeOfInsert, update: true }) lastActiveAt!: Date;
  @Column(timeOfInsert) createdAt!: Date;
}

/** Files that were added to a store together. */
@Entity('vector_store_batch')
export class VectorStoreBatch {
  @PrimaryColumn(text) id!: string;
  @Column(text) storeId!: string;
  @Column({ type: 'boolean', default: false }) cancelled!: boolean;
  @Column(timeOfInsert) createdAt!: Date;
}

export interface IndexingError {
  code: 'server_error' | 'unsupported_file' | 'invalid_file';
  message: string;
}

/** A file in a store; its passages follow when a gateway has read it. */
@Entity('vector_store_file')
export class VectorStoreFile extends LeasedRow {
  @PrimaryColumn(text) storeId!: string;
  @PrimaryColumn(text) fileId!: string;
  @Column(optionalText) batchId!: string | null;
  @Column(text) status!: VectorStoreFileStatus;
  /** Bytes of the passages. */
  @Column(integer) usageBytes!: number;
  @Column(optionalJson) lastError!: IndexingError | null;
  @Column(optionalJson) attributes!: FileAttributes | null;
  @Column(json) chunkingStrategy!: ChunkingStrategy;
  /** Of its passages. */
  @Column({ type: 'text', default: 'none' }) vectors!: 'none' | 'wanted' | 'made' | 'failed';
  /** Digest of the weights that make or made them. */
  @Column(optionalText) vectorsOf!: string | null;
  @Column(timeOfInsert) createdAt!: Date;
}
