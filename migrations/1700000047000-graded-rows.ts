import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Prompts whose answers a grader pays stand in a job's dataset like all its rows, with the fields the grader reads. */
export class GradedRows1700000047000 implements MigrationInterface {
  name = 'GradedRows1700000047000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table dataset_row
        add column item jsonb,
        drop constraint dataset_row_kind_check,
        add constraint dataset_row_kind_check check (kind in ('demonstration', 'preference', 'thumb', 'graded')),
        add constraint dataset_row_item_check check ((kind = 'graded') = (item is not null))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from dataset_row where kind = 'graded'`);
    await runner.query(`
      alter table dataset_row
        drop constraint dataset_row_item_check,
        drop constraint dataset_row_kind_check,
        add constraint dataset_row_kind_check check (kind in ('demonstration', 'preference', 'thumb')),
        drop column item`);
  }
}
