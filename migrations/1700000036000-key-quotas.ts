import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeyQuotas1700000036000 implements MigrationInterface {
  name = 'KeyQuotas1700000036000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table api_key
        add column requests_per_day integer,
        add column tokens_per_day bigint,
        add column max_concurrent integer`);
    // What a key used in a day is read off its completions; this index makes that a walk over the day alone.
    await runner.query('drop index completion_api_key_id');
    await runner.query('create index completion_api_key_id on completion (api_key_id, opened_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index completion_api_key_id');
    await runner.query('create index completion_api_key_id on completion (api_key_id)');
    await runner.query(`
      alter table api_key drop column requests_per_day, drop column tokens_per_day, drop column max_concurrent`);
  }
}
