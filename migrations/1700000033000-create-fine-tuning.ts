import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a fine-tuning job of the API is beside the training job that does its work. */
export class CreateFineTuning1700000033000 implements MigrationInterface {
  name = 'CreateFineTuning1700000033000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tuning_job
        drop constraint tuning_job_trigger_check,
        add constraint tuning_job_trigger_check check (trigger in ('button', 'threshold', 'schedule', 'api'))`);
    // Jobs of the API wait for each other; those on feedback would train on the same rows twice.
    await runner.query('drop index tuning_job_one_unfinished');
    await runner.query(`
      create unique index tuning_job_one_unfinished on tuning_job ((true))
      where status in ('queued', 'running') and trigger <> 'api'`);
    await runner.query(`
      create table fine_tuning_job (
        id text primary key references tuning_job (id) on delete cascade,
        user_id text not null references user_account (id) on delete cascade,
        model text not null,
        training_file text not null,
        validation_file text,
        method jsonb not null,
        suffix text,
        metadata jsonb,
        result_file text references stored_file (id) on delete set null,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index fine_tuning_job_user on fine_tuning_job (user_id, created_at, id)');
    await runner.query(`
      create trigger tuning_job_webhook after update of status on tuning_job for each row
      when (new.trigger = 'api')
      execute function announce_status('fine_tuning.job.', 'succeeded', 'failed', 'cancelled')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop trigger tuning_job_webhook on tuning_job');
    await runner.query('drop table fine_tuning_job');
    await runner.query(`delete from tuning_job where trigger = 'api'`);
    await runner.query('drop index tuning_job_one_unfinished');
    await runner.query(
      `create unique index tuning_job_one_unfinished on tuning_job ((true)) where status in ('queued', 'running')`,
    );
    await runner.query(`
      alter table tuning_job
        drop constraint tuning_job_trigger_check,
        add constraint tuning_job_trigger_check check (trigger in ('button', 'threshold', 'schedule'))`);
  }
}
