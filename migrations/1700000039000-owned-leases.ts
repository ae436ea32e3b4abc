import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables whose rows gateways work off in the background. */
const QUEUES = ['batch', 'eval_run', 'vector_store_file'];

/** A lease names its owner, so that one who has lost it can write no more, and counts what did not get on. */
export class OwnedLeases1700000039000 implements MigrationInterface {
  name = 'OwnedLeases1700000039000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table vector_store_file drop column claimed_at, add column leased_until timestamptz`);
    for (const table of QUEUES) {
      await runner.query(`
        alter table ${table}
          add column lease_owner text,
          add column attempts integer not null default 0,
          add column progress integer not null default 0,
          add column attempt_error text`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of QUEUES) {
      await runner.query(`
        alter table ${table}
          drop column lease_owner, drop column attempts, drop column progress, drop column attempt_error`);
    }
    await runner.query(`alter table vector_store_file drop column leased_until, add column claimed_at timestamptz`);
  }
}
