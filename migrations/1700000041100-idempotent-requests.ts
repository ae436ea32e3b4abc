import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Idempotency keys in a table of their own. On the rows of answers a key was taken only when the answer had its row, one
 * of several choices could hold it alone, and an answer that cannot be told again held it for ever.
 */
export class IdempotentRequests1700000041100 implements MigrationInterface {
  name = 'IdempotentRequests1700000041100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table idempotent_request (
        user_id text not null references user_account (id) on delete cascade,
        key text not null,
        request_hash text not null,
        instance_id text not null,
        answer_ids text[],
        created_at timestamptz not null default clock_timestamp(),
        primary key (user_id, key)
      )`);
    await runner.query('create index idempotent_request_created_at on idempotent_request (created_at)');
    // Their indexes go with them.
    await runner.query('alter table completion drop column idempotency_key, drop column request_hash');
    await runner.query('alter table response drop column idempotency_key, drop column request_hash');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table response add column idempotency_key text, add column request_hash text');
    await runner.query(`
      create unique index response_idempotency_key on response (user_id, idempotency_key)
        where idempotency_key is not null and deleted_at is null and status not in ('failed', 'cancelled')`);
    await runner.query('alter table completion add column idempotency_key text, add column request_hash text');
    await runner.query(`
      create unique index completion_idempotency_key on completion (user_id, idempotency_key, choice_index)
        where idempotency_key is not null and status in ('open', 'done')`);
    await runner.query('drop table idempotent_request');
  }
}
