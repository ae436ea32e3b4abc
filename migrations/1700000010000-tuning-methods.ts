import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows without feedback behind them (files, a constitution), unpaired thumbs, and jobs that wait on a person. */
export class TuningMethods1700000010000 implements MigrationInterface {
  name = 'TuningMethods1700000010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table dataset_row alter column feedback_id drop not null');
    await runner.query(`
      alter table dataset_row
        add column origin text not null default 'feedback' check (origin in ('feedback', 'file', 'constitution')),
        add column label boolean,
        drop constraint dataset_row_kind_check,
        drop constraint dataset_row_check,
        add constraint dataset_row_kind_check check (kind in ('demonstration', 'preference', 'thumb')),
        add constraint dataset_row_rejected_check check ((kind = 'preference') = (rejected is not null)),
        add constraint dataset_row_label_check check ((kind = 'thumb') = (label is not null)),
        add constraint dataset_row_origin_feedback_check check ((origin = 'feedback') = (feedback_id is not null))`);
    await runner.query(`
      alter table tuning_job
        add column pause_requested_at timestamptz,
        drop constraint tuning_job_status_check,
        add constraint tuning_job_status_check
          check (status in ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`delete from dataset_row where kind = 'thumb' or feedback_id is null`);
    await runner.query(`
      alter table dataset_row
        drop constraint dataset_row_origin_feedback_check,
        drop constraint dataset_row_label_check,
        drop constraint dataset_row_rejected_check,
        drop constraint dataset_row_kind_check,
        drop column label,
        drop column origin,
        alter column feedback_id set not null,
        add constraint dataset_row_kind_check check (kind in ('demonstration', 'preference')),
        add constraint dataset_row_check check ((kind = 'preference') = (rejected is not null))`);
    await runner.query(`update tuning_job set status = 'cancelled', finished_at = now() where status = 'paused'`);
    await runner.query(`
      alter table tuning_job
        drop column pause_requested_at,
        drop constraint tuning_job_status_check,
        add constraint tuning_job_status_check
          check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled'))`);
  }
}
