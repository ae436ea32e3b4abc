import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CompleteChat1700000020000 implements MigrationInterface {
  name = 'CompleteChat1700000020000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table completion
        add column tool_calls jsonb,
        add column metadata jsonb not null default '{}',
        add column stored boolean not null default false,
        add column group_id text,
        add column choice_index integer not null default 0,
        add column idempotency_key text,
        add column request_hash text`);
    await runner.query('alter table completion drop constraint completion_source_check');
    await runner.query(`
      alter table completion add constraint completion_source_check
        check (source in ('chat', 'realtime', 'responses', 'completions'))`);
    await runner.query('create index completion_group_id on completion (group_id) where group_id is not null');
    await runner.query(
      'create index completion_stored on completion (user_id, opened_at, id) where stored and choice_index = 0',
    );
    // An answer that failed or was given up frees its key, so that a retry is answered anew.
    await runner.query(`
      create unique index completion_idempotency_key on completion (user_id, idempotency_key, choice_index)
        where idempotency_key is not null and status in ('open', 'done')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from completion where source = 'completions'`);
    await runner.query('alter table completion drop constraint completion_source_check');
    await runner.query(`
      alter table completion add constraint completion_source_check
        check (source in ('chat', 'realtime', 'responses'))`);
    await runner.query(`
      alter table completion
        drop column tool_calls, drop column metadata, drop column stored, drop column group_id,
        drop column choice_index, drop column idempotency_key, drop column request_hash`);
  }
}
