import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateVectorStores1700000031000 implements MigrationInterface {
  name = 'CreateVectorStores1700000031000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table vector_store (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        name text not null,
        description text,
        metadata jsonb,
        expires_after_days integer,
        last_active_at timestamptz not null default clock_timestamp(),
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index vector_store_user on vector_store (user_id, created_at, id)');
    await runner.query(`
      create table vector_store_batch (
        id text primary key,
        store_id text not null references vector_store (id) on delete cascade,
        cancelled boolean not null default false,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table vector_store_file (
        store_id text not null references vector_store (id) on delete cascade,
        file_id text not null references stored_file (id) on delete cascade,
        batch_id text references vector_store_batch (id) on delete set null,
        status text not null default 'in_progress' check (status in ('in_progress', 'completed', 'failed', 'cancelled')),
        usage_bytes integer not null default 0,
        last_error jsonb,
        attributes jsonb,
        chunking_strategy jsonb not null,
        claimed_at timestamptz,
        created_at timestamptz not null default clock_timestamp(),
        primary key (store_id, file_id)
      )`);
    await runner.query(
      `create index vector_store_file_waiting on vector_store_file (created_at) where status = 'in_progress'`,
    );
    await runner.query(`
      create table vector_store_passage (
        store_id text not null,
        file_id text not null,
        ordinal integer not null,
        text text not null,
        tsv tsvector generated always as (to_tsvector('english', text)) stored,
        primary key (store_id, file_id, ordinal),
        foreign key (store_id, file_id) references vector_store_file (store_id, file_id) on delete cascade
      )`);
    await runner.query('create index vector_store_passage_tsv on vector_store_passage using gin (tsv)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['vector_store_passage', 'vector_store_file', 'vector_store_batch', 'vector_store']) {
      await runner.query(`drop table ${table}`);
    }
  }
}
