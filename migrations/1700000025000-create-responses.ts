import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Responses as their API keeps them, their streams for whoever resumes one, and the items of conversations. Events have
 * no foreign key: they are written in batches of many responses, none of which may fail because another was deleted.
 */
export class CreateResponses1700000025000 implements MigrationInterface {
  name = 'CreateResponses1700000025000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table response (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        status text not null check (status in ('queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled')),
        previous_response_id text,
        conversation_id text references conversation (id) on delete cascade,
        conversation_until bigint,
        input jsonb not null,
        body jsonb not null,
        heartbeat_at timestamptz not null default clock_timestamp(),
        read_at timestamptz,
        cancel_requested boolean not null default false,
        idempotency_key text,
        request_hash text,
        created_at timestamptz not null default clock_timestamp(),
        ended_at timestamptz,
        deleted_at timestamptz
      )`);
    await runner.query('create index response_user on response (user_id, created_at desc)');
    await runner.query(
      // An answer that failed or was given up frees its key, as one that was deleted does.
      `create unique index response_idempotency_key on response (user_id, idempotency_key)
       where idempotency_key is not null and deleted_at is null and status not in ('failed', 'cancelled')`,
    );
    await runner.query('create index response_conversation on response (conversation_id)');
    await runner.query(
      `create index response_running on response (heartbeat_at) where status in ('queued', 'in_progress')`,
    );
    await runner.query(`
      create table response_event (
        response_id text not null,
        sequence integer not null,
        event json not null,
        primary key (response_id, sequence)
      )`);
    await runner.query(`alter table conversation add column metadata jsonb not null default '{}'`);
    await runner.query(`
      create table conversation_item (
        conversation_id text not null references conversation (id) on delete cascade,
        id text not null,
        ordinal bigint generated always as identity,
        item jsonb not null,
        created_at timestamptz not null default clock_timestamp(),
        primary key (conversation_id, id)
      )`);
    await runner.query('create index conversation_item_ordinal on conversation_item (conversation_id, ordinal)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table conversation_item');
    await runner.query('alter table conversation drop column metadata');
    await runner.query('drop table response_event');
    await runner.query('drop table response');
  }
}
