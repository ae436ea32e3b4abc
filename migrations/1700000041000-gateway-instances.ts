import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who answers what: rows that are open name the gateway they belong to, and gateways say that they are alive. */
export class GatewayInstances1700000041000 implements MigrationInterface {
  name = 'GatewayInstances1700000041000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table gateway_instance (
        id text primary key,
        started_at timestamptz not null default clock_timestamp(),
        heartbeat_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('alter table completion add column instance_id text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table completion drop column instance_id');
    await runner.query('drop table gateway_instance');
  }
}
