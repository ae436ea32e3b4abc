import type { Role } from '@attune/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { optionalText, text, timeOfInsert } from './columns.js';

@Entity('user_account')
export class User {
  @PrimaryColumn(text) id!: string;
  @Column(text) name!: string;
  @Column(text) role!: Role;
  /** The name a trusted front end (Open WebUI) gave this person. */
  @Column(optionalText) externalId!: string | null;
  @Column(timeOfInsert) createdAt!: Date;
}
