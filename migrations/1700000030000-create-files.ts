import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A file's bytes lie in pieces, so that neither reading nor writing ever holds the whole in memory. */
export class CreateFiles1700000030000 implements MigrationInterface {
  name = 'CreateFiles1700000030000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table stored_file (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        filename text not null,
        purpose text not null,
        bytes bigint not null,
        expires_at timestamptz,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index stored_file_user on stored_file (user_id, created_at, id)');
    await runner.query(`
      create table upload (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        filename text not null,
        mime_type text not null,
        purpose text not null,
        bytes bigint not null,
        file_lifetime_seconds integer,
        status text not null check (status in ('pending', 'completed', 'cancelled')),
        file_id text references stored_file (id) on delete set null,
        expires_at timestamptz not null,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table upload_part (
        id text primary key,
        upload_id text not null references upload (id) on delete cascade,
        bytes integer not null,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index upload_part_upload on upload_part (upload_id)');
    await runner.query(`
      create table file_piece (
        file_id text references stored_file (id) on delete cascade,
        part_id text references upload_part (id) on delete cascade,
        ordinal integer not null,
        content bytea not null,
        check ((file_id is null) <> (part_id is null)),
        unique (file_id, ordinal),
        unique (part_id, ordinal)
      )`);
    await runner.query('alter table file_piece alter column content set storage external');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['file_piece', 'upload_part', 'upload', 'stored_file']) {
      await runner.query(`drop table ${table}`);
    }
  }
}
