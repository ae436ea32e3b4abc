import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who but its owner may name the checkpoint of a fine-tuning job: a user with all their keys, or one key. */
export class CheckpointPermissions1700000041400 implements MigrationInterface {
  name = 'CheckpointPermissions1700000041400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table checkpoint_permission (
        id text primary key,
        checkpoint_id text not null references checkpoint (id) on delete cascade,
        project_id text not null,
        created_at timestamptz not null default clock_timestamp(),
        unique (checkpoint_id, project_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table checkpoint_permission');
  }
}
