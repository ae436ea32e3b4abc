import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { bigint, optionalTime, text, timeOfInsert } from './columns.js';
import { User } from './user.entity.js';

@Entity('api_key')
export class ApiKey {
  @PrimaryColumn(text) id!: string;
  @Column(text) userId!: string;
  @ManyToOne(() => User) @JoinColumn() user!: Relation<User>;
  @Column(text) name!: string;
  /** The first characters of the secret, to tell keys apart. */
  @Column(text) prefix!: string;
  /** SHA-256 in hexadecimal; the secret itself is stored nowhere. */
  @Column(text) secretHash!: string;
  @Column(timeOfInsert) createdAt!: Date;
  @Column(optionalTime) lastUsedAt!: Date | null;
  @Column(optionalTime) revokedAt!: Date | null;
  /** Null: without limit of its own. */
  @Column({ type: 'integer', nullable: true }) requestsPerDay!: number | null;
  @Column({ ...bigint, nullable: true }) tokensPerDay!: number | null;
  @Column({ type: 'integer', nullable: true }) maxConcurrent!: number | null;
}
