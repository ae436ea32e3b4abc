import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateConversations1700000001000 implements MigrationInterface {
  name = 'CreateConversations1700000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table conversation (
        id text primary key,
        user_id text not null references user_account (id) on delete cascade,
        title text not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        deleted_at timestamptz
      )`);
    await runner.query('create index conversation_user_id on conversation (user_id, updated_at desc, id desc)');
    await runner.query(`
      create table completion (
        id text primary key,
        conversation_id text not null references conversation (id) on delete cascade,
        user_id text not null references user_account (id) on delete cascade,
        api_key_id text references api_key (id) on delete set null,
        regenerate_of text references completion (id) on delete set null,
        source text not null check (source in ('chat', 'realtime', 'responses')),
        model text not null,
        messages jsonb not null,
        prompt_token_ids integer[] not null,
        sampling jsonb not null,
        seed bigint,
        status text not null default 'open' check (status in ('open', 'done', 'cancelled', 'failed', 'lost')),
        answer text not null default '',
        answer_token_ids integer[] not null default '{}',
        answer_log_probs real[] not null default '{}',
        stop_reason text,
        error text,
        weights_digest text,
        checkpoint_id text,
        citations jsonb not null default '[]',
        prompt_tokens integer not null default 0,
        cached_tokens integer not null default 0,
        completion_tokens integer not null default 0,
        queue_ms real,
        prefill_ms real,
        ttft_ms real,
        total_ms real,
        opened_at timestamptz not null default clock_timestamp(),
        closed_at timestamptz
      )`);
    await runner.query('create index completion_conversation_id on completion (conversation_id, opened_at)');
    await runner.query('create index completion_user_id on completion (user_id)');
    await runner.query('create index completion_api_key_id on completion (api_key_id)');
    await runner.query('create index completion_regenerate_of on completion (regenerate_of)');
    await runner.query('create index completion_weights_digest on completion (weights_digest)');
    await runner.query(`create index completion_open on completion (opened_at) where status = 'open'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table completion');
    await runner.query('drop table conversation');
  }
}
