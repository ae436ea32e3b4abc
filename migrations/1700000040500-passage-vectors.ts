import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Searching by meaning: a vector for each passage of the stores somebody searches so. */
export class PassageVectors1700000040500 implements MigrationInterface {
  name = 'PassageVectors1700000040500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table vector_store add column by_meaning boolean not null default false');
    // 32-bit floats, little-endian, at length 1; numbers like these do not compress.
    await runner.query('alter table vector_store_passage add column vector bytea');
    await runner.query('alter table vector_store_passage alter column vector set storage external');
    await runner.query(`
      alter table vector_store_file
        add column vectors text not null default 'none' check (vectors in ('none', 'wanted', 'made', 'failed')),
        add column vectors_of text`);
    await runner.query(
      `create index vector_store_file_wanted on vector_store_file (created_at) where vectors = 'wanted'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table vector_store_file drop column vectors, drop column vectors_of');
    await runner.query('alter table vector_store_passage drop column vector');
    await runner.query('alter table vector_store drop column by_meaning');
  }
}
