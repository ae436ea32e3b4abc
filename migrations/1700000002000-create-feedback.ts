import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateFeedback1700000002000 implements MigrationInterface {
  name = 'CreateFeedback1700000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feedback (
        id text primary key,
        completion_id text not null references completion (id) on delete cascade,
        rejected_completion_id text references completion (id) on delete cascade,
        user_id text not null references user_account (id) on delete cascade,
        type text not null check (type in ('thumb', 'comment', 'correction', 'choice')),
        value text check (value in ('up', 'down')),
        text text,
        comment text,
        status text not null default 'pending' check (status in ('pending', 'approved', 'rejected')),
        created_at timestamptz not null default clock_timestamp(),
        check ((type = 'choice') = (rejected_completion_id is not null)),
        check (rejected_completion_id <> completion_id)
      )`);
    await runner.query('create index feedback_completion_id on feedback (completion_id)');
    await runner.query('create index feedback_rejected_completion_id on feedback (rejected_completion_id)');
    await runner.query('create index feedback_user_id on feedback (user_id)');
    await runner.query('create index feedback_status on feedback (status, created_at, id)');
    await runner.query(`
      create table review (
        id text primary key,
        feedback_id text not null references feedback (id) on delete cascade,
        reviewer_id text not null references user_account (id),
        verdict text not null check (verdict in ('approve', 'edit', 'reject')),
        edited_text text,
        note text,
        created_at timestamptz not null default clock_timestamp(),
        check ((verdict = 'edit') = (edited_text is not null))
      )`);
    await runner.query('create index review_feedback_id on review (feedback_id, created_at)');
    await runner.query('create index review_reviewer_id on review (reviewer_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table review');
    await runner.query('drop table feedback');
  }
}
