import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OneUnfinishedJob1700000006000 implements MigrationInterface {
  name = 'OneUnfinishedJob1700000006000';

  async up(runner: QueryRunner): Promise<void> {
    // Of several unfinished jobs the running one stays, else the oldest.
    await runner.query(`
      update tuning_job set status = 'cancelled', finished_at = clock_timestamp(),
        error = 'Cancelled: another job was unfinished when this database learnt to hold only one.'
      where status in ('queued', 'running') and id <> (
        select id from tuning_job where status in ('queued', 'running')
        order by status = 'running' desc, created_at limit 1)`);
    // Two gateways that decide at once must not train twice on the same feedback: the database refuses the second job.
    await runner.query(
      `create unique index tuning_job_one_unfinished on tuning_job ((true)) where status in ('queued', 'running')`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index tuning_job_one_unfinished');
  }
}
