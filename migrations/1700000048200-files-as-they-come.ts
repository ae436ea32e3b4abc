import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Files are written as their bytes come; until the last one is there nobody sees them. */
export class FilesAsTheyCome1700000048200 implements MigrationInterface {
  name = 'FilesAsTheyCome1700000048200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table stored_file add column whole boolean not null default true');
    await runner.query('create index stored_file_unfinished on stored_file (created_at) where not whole');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('delete from stored_file where not whole');
    await runner.query('drop index stored_file_unfinished');
    await runner.query('alter table stored_file drop column whole');
  }
}
