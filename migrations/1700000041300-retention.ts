import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is needed to find, without reading all of them, the responses that are old and that no later one goes on from. */
export class Retention1700000041300 implements MigrationInterface {
  name = 'Retention1700000041300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index response_ended_at on response (ended_at)');
    await runner.query(
      'create index response_previous on response (previous_response_id) where previous_response_id is not null',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index response_previous');
    await runner.query('drop index response_ended_at');
  }
}
