import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAccounts1700000000000 implements MigrationInterface {
  name = 'CreateAccounts1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table user_account (
        id text primary key,
        name text not null,
        role text not null check (role in ('user', 'reviewer', 'admin')),
        external_id text unique,
        created_at timestamptz not null default now()
      )`);
    await runner.query(`
      create table api_key (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        name text not null,
        prefix text not null,
        secret_hash text not null unique,
        created_at timestamptz not null default now(),
        last_used_at timestamptz,
        revoked_at timestamptz
      )`);
    await runner.query('create index api_key_user_id on api_key (user_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table api_key');
    await runner.query('drop table user_account');
  }
}
