import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDocuments1700000003000 implements MigrationInterface {
  name = 'CreateDocuments1700000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table document (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        filename text not null,
        mime_type text not null,
        bytes integer not null,
        sha256 text not null,
        content bytea not null,
        created_at timestamptz not null default clock_timestamp(),
        unique (user_id, sha256)
      )`);
    await runner.query(`
      create table passage (
        id text primary key,
        document_id text not null references document (id) on delete cascade,
        ordinal integer not null,
        text text not null,
        tsv tsvector generated always as (to_tsvector('english', text)) stored,
        unique (document_id, ordinal)
      )`);
    await runner.query('create index passage_tsv on passage using gin (tsv)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table passage');
    await runner.query('drop table document');
  }
}
