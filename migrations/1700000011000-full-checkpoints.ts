import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A full fine-tune has no adapter: its weights lie in the checkpoint's own model folder. */
export class FullCheckpoints1700000011000 implements MigrationInterface {
  name = 'FullCheckpoints1700000011000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table checkpoint alter column adapter_digest drop not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    // The column's old meaning: what the weights are, when the base is not asked.
    await runner.query('update checkpoint set adapter_digest = weights_digest where adapter_digest is null');
    await runner.query('alter table checkpoint alter column adapter_digest set not null');
  }
}
