import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEvals1700000035000 implements MigrationInterface {
  name = 'CreateEvals1700000035000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table eval (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        name text not null,
        data_source_config jsonb not null,
        testing_criteria jsonb not null,
        metadata jsonb,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index eval_user on eval (user_id, created_at, id)');
    await runner.query(`
      create table eval_run (
        id text primary key,
        eval_id text not null references eval (id) on delete cascade,
        api_key_id text not null references api_key (id) on delete cascade,
        name text not null,
        model text not null,
        data_source jsonb not null,
        metadata jsonb,
        status text not null default 'queued'
          check (status in ('queued', 'in_progress', 'completed', 'failed', 'canceled')),
        error jsonb,
        total integer not null default 0,
        leased_until timestamptz,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index eval_run_eval on eval_run (eval_id, created_at, id)');
    await runner.query(`create index eval_run_open on eval_run (created_at) where status in ('queued', 'in_progress')`);
    await runner.query(`
      create table eval_output_item (
        id text primary key,
        run_id text not null references eval_run (id) on delete cascade,
        ordinal integer not null,
        item jsonb not null,
        results jsonb not null,
        sample jsonb not null,
        status text not null check (status in ('pass', 'fail', 'error')),
        created_at timestamptz not null default clock_timestamp(),
        unique (run_id, ordinal)
      )`);
    // OpenAI calls a completed run's event "succeeded".
    await runner.query(`
      create function announce_eval_run() returns trigger language plpgsql as $$
      begin
        if new.status is distinct from old.status and new.status in ('completed', 'failed', 'canceled') then
          perform announce_webhook(
            'eval.run.' || case new.status when 'completed' then 'succeeded' else new.status end, new.id);
        end if;
        return null;
      end $$`);
    await runner.query(`
      create trigger eval_run_webhook after update of status on eval_run for each row
      execute function announce_eval_run()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['eval_output_item', 'eval_run', 'eval']) await runner.query(`drop table ${table}`);
    await runner.query('drop function announce_eval_run');
  }
}
