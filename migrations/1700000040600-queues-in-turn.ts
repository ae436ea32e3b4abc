import type { MigrationInterface, QueryRunner } from 'typeorm';

const QUEUES = ['batch', 'eval_run', 'vector_store_file'];

/** Work that was given back stands behind what has waited since. */
export class QueuesInTurn1700000040600 implements MigrationInterface {
  name = 'QueuesInTurn1700000040600';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of QUEUES) await runner.query(`alter table ${table} add column given_back_at timestamptz`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of QUEUES) await runner.query(`alter table ${table} drop column given_back_at`);
  }
}
