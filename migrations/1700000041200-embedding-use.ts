import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What keys have used for embeddings: unlike answers, they leave no row of their own that could be counted. */
export class EmbeddingUse1700000041200 implements MigrationInterface {
  name = 'EmbeddingUse1700000041200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table embedding_use (
        api_key_id text not null references api_key (id) on delete cascade,
        day date not null,
        requests integer not null,
        tokens bigint not null,
        primary key (api_key_id, day)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table embedding_use');
  }
}
