import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a batch that has ended has answered lies in its files, and goes with them; of its lines only their number stays.
 * They were kept beside the files for ever.
 */
export class BatchCounts1700000048100 implements MigrationInterface {
  name = 'BatchCounts1700000048100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table batch add column completed integer not null default 0, add column failed integer not null default 0`);
    await runner.query(`
      update batch b set completed = r.completed, failed = r.failed
      from (
        select batch_id, count(*) filter (where succeeded) as completed, count(*) filter (where not succeeded) as failed
        from batch_result group by batch_id
      ) as r
      where r.batch_id = b.id and b.status in ('completed', 'failed', 'expired', 'cancelled')`);
    await runner.query(`
      delete from batch_result r using batch b
      where b.id = r.batch_id and b.status in ('completed', 'failed', 'expired', 'cancelled')`);
  }

  /** The lines are in the files alone from then on. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table batch drop column completed, drop column failed');
  }
}
