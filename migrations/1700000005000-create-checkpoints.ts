import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCheckpoints1700000005000 implements MigrationInterface {
  name = 'CreateCheckpoints1700000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table checkpoint (
        id text primary key,
        job_id text references tuning_job (id) on delete set null,
        parent_id text references checkpoint (id),
        status text not null default 'candidate' check (status in ('candidate', 'rejected', 'live', 'retired')),
        base_digest text not null,
        adapter_digest text not null,
        weights_digest text not null,
        folder text not null,
        metrics jsonb not null default '{}',
        gate_report jsonb,
        created_at timestamptz not null default clock_timestamp()
      )`);
    // Two live checkpoints would mean answers from mixed weights: the database itself refuses the second.
    await runner.query(`create unique index checkpoint_one_live on checkpoint ((true)) where status = 'live'`);
    await runner.query('create index checkpoint_job_id on checkpoint (job_id)');
    await runner.query('create index checkpoint_parent_id on checkpoint (parent_id)');
    await runner.query('create index checkpoint_weights_digest on checkpoint (weights_digest)');
    await runner.query(`
      create table promotion (
        id text primary key,
        seq bigint generated always as identity unique,
        checkpoint_id text references checkpoint (id),
        previous_checkpoint_id text references checkpoint (id),
        actor text not null,
        reason text not null,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index promotion_checkpoint_id on promotion (checkpoint_id)');
    await runner.query('create index promotion_previous_checkpoint_id on promotion (previous_checkpoint_id)');
    await runner.query(`
      alter table tuning_job add constraint tuning_job_checkpoint_id_fkey
        foreign key (checkpoint_id) references checkpoint (id) on delete set null`);
    await runner.query(`
      alter table completion add constraint completion_checkpoint_id_fkey
        foreign key (checkpoint_id) references checkpoint (id) on delete set null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table completion drop constraint completion_checkpoint_id_fkey');
    await runner.query('alter table tuning_job drop constraint tuning_job_checkpoint_id_fkey');
    await runner.query('drop table promotion');
    await runner.query('drop table checkpoint');
  }
}
