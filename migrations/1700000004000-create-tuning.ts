import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTuning1700000004000 implements MigrationInterface {
  name = 'CreateTuning1700000004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tuning_job (
        id text primary key,
        status text not null default 'queued'
          check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        trigger text not null check (trigger in ('button', 'threshold', 'schedule')),
        config jsonb not null,
        progress jsonb,
        worker_id text,
        heartbeat_at timestamptz,
        attempt integer not null default 0,
        error text,
        checkpoint_id text,
        note text,
        created_at timestamptz not null default clock_timestamp(),
        started_at timestamptz,
        finished_at timestamptz,
        cancel_requested_at timestamptz
      )`);
    await runner.query(
      `create index tuning_job_unfinished on tuning_job (created_at) where status in ('queued', 'running')`,
    );
    await runner.query(`
      create table tuning_event (
        job_id text not null references tuning_job (id) on delete cascade,
        seq integer not null,
        level text not null check (level in ('info', 'warn', 'error')),
        message text not null,
        data jsonb,
        created_at timestamptz not null default clock_timestamp(),
        primary key (job_id, seq)
      )`);
    await runner.query(`
      create table tuning_metric (
        job_id text not null references tuning_job (id) on delete cascade,
        seq integer not null,
        stage text not null,
        step integer not null,
        "values" jsonb not null,
        created_at timestamptz not null default clock_timestamp(),
        primary key (job_id, seq),
        unique (job_id, stage, step)
      )`);
    await runner.query(`
      create table dataset_row (
        id text primary key,
        job_id text not null references tuning_job (id) on delete cascade,
        feedback_id text not null references feedback (id) on delete cascade,
        kind text not null check (kind in ('demonstration', 'preference')),
        split text not null check (split in ('train', 'heldout')),
        ordinal integer not null,
        prompt jsonb not null,
        chosen text not null,
        rejected text,
        check ((kind = 'preference') = (rejected is not null))
      )`);
    await runner.query('create index dataset_row_job_id on dataset_row (job_id, ordinal)');
    await runner.query('create index dataset_row_feedback_id on dataset_row (feedback_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table dataset_row');
    await runner.query('drop table tuning_metric');
    await runner.query('drop table tuning_event');
    await runner.query('drop table tuning_job');
  }
}
