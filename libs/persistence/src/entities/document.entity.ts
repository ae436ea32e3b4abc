import { Column, Entity, PrimaryColumn } from 'typeorm';
import { integer, text, timeOfInsert } from './columns.js';

@Entity('document')
export class Document {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @Column(text) filename!: string;
  @Column(text) mimeType!: string;
  @Column(integer) bytes!: number;
  @Column(text) sha256!: string;
  /** The file itself; read only where it is asked for by name. */
  @Column({ type: 'bytea', select: false }) content!: Buffer;
  @Column(timeOfInsert) createdAt!: Date;
}

/** A piece of a document; PostgreSQL keeps its words in the generated column `tsv`. */
@Entity('passage')
export class Passage {
  @PrimaryColumn(text) id!: string;
  @Column(text) documentId!: string;
  /** Its place in the document, from 0. */
  @Column(integer) ordinal!: number;
  @Column(text) text!: string;
}
