import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Each claim of an idempotency key by a name of its own. By its gateway alone, a claim could not be told from a later
 * one of the same gateway, whose key its late end then settled or gave back.
 */
export class ClaimIds1700000048000 implements MigrationInterface {
  name = 'ClaimIds1700000048000';

  async up(runner: QueryRunner): Promise<void> {
    // Claims from before get names nobody knows: their gateways end, and with them the claims.
    await runner.query(
      'alter table idempotent_request add column claim_id text not null default gen_random_uuid()::text',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table idempotent_request drop column claim_id');
  }
}
