import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateBatches1700000034000 implements MigrationInterface {
  name = 'CreateBatches1700000034000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table batch (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        api_key_id text not null references api_key (id) on delete cascade,
        endpoint text not null,
        input_file_id text not null,
        output_lifetime_seconds integer,
        metadata jsonb,
        status text not null default 'validating',
        /* When each status was reached. */
        reached jsonb not null default '{}',
        errors jsonb,
        total integer not null default 0,
        output_file_id text,
        error_file_id text,
        leased_until timestamptz,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index batch_user on batch (user_id, created_at, id)');
    await runner.query(`
      create index batch_open on batch (created_at)
      where status in ('validating', 'in_progress', 'finalizing', 'cancelling')`);
    await runner.query(`
      create table batch_result (
        batch_id text not null references batch (id) on delete cascade,
        line integer not null,
        succeeded boolean not null,
        output jsonb not null,
        primary key (batch_id, line)
      )`);
    await runner.query(`
      create trigger batch_webhook after update of status on batch for each row
      execute function announce_status('batch.', 'completed', 'failed', 'expired', 'cancelled')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table batch_result');
    await runner.query('drop table batch');
  }
}
