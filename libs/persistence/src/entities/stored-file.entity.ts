import type { FilePurpose, OutputPurpose } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigint, integer, optionalText, optionalTime, text, timeOfInsert } from './columns.js';

/** A file of /v1/files; its bytes lie in `file_piece` rows. */
@Entity('stored_file')
export class StoredFile {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) filename!: string;
  @Column(text) purpose!: FilePurpose | OutputPurpose;
  @Column(bigint) bytes!: number;
  @Column(optionalTime) expiresAt!: Date | null;
  /** Its last byte has come; before, nobody sees it. */
  @Column({ type: 'boolean', default: true }) whole!: boolean;
  @Column(timeOfInsert) createdAt!: Date;
}

/** A file that is being put together from parts. */
@Entity('upload')
export class Upload {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) filename!: string;
  @Column(text) mimeType!: string;
  @Column(text) purpose!: FilePurpose;
  /** What the parts must add up to. */
  @Column(bigint) bytes!: number;
  @Column({ type: 'integer', nullable: true }) fileLifetimeSeconds!: number | null;
  @Column(text) status!: 'pending' | 'completed' | 'cancelled';
  @Column(optionalText) fileId!: string | null;
  @Column({ type: 'timestamptz' }) expiresAt!: Date;
  @Column(timeOfInsert) createdAt!: Date;
}

@Entity('upload_part')
export class UploadPart {
  @PrimaryColumn(text) id!: string;
  @Column(text) uploadId!: string;
  @Column(integer) bytes!: number;
  /** Its last byte has come; before, it counts as nothing. */
  @Column({ type: 'boolean', default: true }) whole!: boolean;
  @Column(timeOfInsert) createdAt!: Date;
}
