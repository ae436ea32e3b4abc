import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Parts of uploads are written as their bytes come; until the last one is there they count as nothing. */
export class PartsAsTheyCome1700000040000 implements MigrationInterface {
  name = 'PartsAsTheyCome1700000040000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table upload_part add column whole boolean not null default true');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('delete from upload_part where not whole');
    await runner.query('alter table upload_part drop column whole');
  }
}
