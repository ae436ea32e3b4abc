import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Webhooks by outbox: the statement that ends a job also writes what is to be told about it, so that neither a killed
 * process nor a new way for jobs to end can lose an event.
 */
export class CreateWebhooks1700000032000 implements MigrationInterface {
  name = 'CreateWebhooks1700000032000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table webhook_endpoint (
        id text primary key,
        name text not null,
        url text not null,
        event_types text[] not null,
        secret text not null,
        old_secret text,
        old_secret_until timestamptz,
        updated_at timestamptz not null default clock_timestamp(),
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table webhook_delivery (
        id bigint generated always as identity primary key,
        endpoint_id text not null references webhook_endpoint (id) on delete cascade,
        event_id text not null,
        type text not null,
        subject_id text not null,
        attempts integer not null default 0,
        next_attempt_at timestamptz not null default clock_timestamp(),
        delivered_at timestamptz,
        given_up_at timestamptz,
        last_error text,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(
      'create index webhook_delivery_due on webhook_delivery (next_attempt_at) where delivered_at is null and given_up_at is null',
    );
    await runner.query(`
      create function announce_webhook(event_type text, subject text) returns void language plpgsql as $$
      begin
        insert into webhook_delivery (endpoint_id, event_id, type, subject_id)
        select id, 'evt_' || replace(gen_random_uuid()::text, '-', ''), event_type, subject
        from webhook_endpoint where event_type = any(event_types);
        if found then perform pg_notify('attune_webhook_due', ''); end if;
      end $$`);
    // Trigger arguments: prefix of the event's name, then the statuses that are told.
    await runner.query(`
      create function announce_status() returns trigger language plpgsql as $$
      begin
        if new.status is distinct from old.status and new.status = any(tg_argv[1:]) then
          perform announce_webhook(tg_argv[0] || new.status, new.id);
        end if;
        return null;
      end $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function announce_status cascade');
    await runner.query('drop function announce_webhook cascade');
    await runner.query('drop table webhook_delivery');
    await runner.query('drop table webhook_endpoint');
  }
}
