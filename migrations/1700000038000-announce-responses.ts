import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Responses that ran in the background tell their end by webhook: nobody waits for them on a connection. */
export class AnnounceResponses1700000038000 implements MigrationInterface {
  name = 'AnnounceResponses1700000038000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create trigger response_webhook after update of status on response for each row
      when ((new.body ->> 'background')::boolean)
      execute function announce_status('response.', 'completed', 'failed', 'cancelled', 'incomplete')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop trigger response_webhook on response');
  }
}
