import type { DataSource } from 'typeorm';
import type { EvalRun } from '../entities/index.js';

/** A run, what it found so far, and whose it is. */
export interface EvalRunRecord {
  run: EvalRun;
  userId: string;
  counts: { total: number; passed: number; failed: number; errored: number };
  criteria: { name: string; passed: number; failed: number }[];
  usage: { model: string; count: number; prompt: number; completion: number; cached: number }[];
}

/** A run with what its output items say. */
export async function recordOf(db: DataSource, run: EvalRun, userId: string): Promise<EvalRunRecord> {
  const [counts]: Omit<EvalRunRecord['counts'], 'total'>[] = await db.query(
    `select count(*) filter (where status = 'pass')::int as passed,
       count(*) filter (where status = 'fail')::int as failed,
       count(*) filter (where status = 'error')::int as errored
     from eval_output_item where run_id = $1`,
    [run.id],
  );
  const criteria: EvalRunRecord['criteria'] = await db.query(
    `select result ->> 'name' as name, count(*) filter (where (result ->> 'passed')::boolean)::int as passed,
       count(*) filter (where not (result ->> 'passed')::boolean)::int as failed
     from eval_output_item, jsonb_array_elements(results) as result where run_id = $1 group by 1 order by 1`,
    [run.id],
  );
  const usage: EvalRunRecord['usage'] = await db.query(
    `select sample ->> 'model' as model, count(*)::int as count,
       sum((sample #>> '{usage,prompt_tokens}')::int)::int as prompt,
       sum((sample #>> '{usage,completion_tokens}')::int)::int as completion,
       sum((sample #>> '{usage,cached_tokens}')::int)::int as cached
     from eval_output_item where run_id = $1 and (sample #>> '{usage,total_tokens}')::int > 0 group by 1 order by 1`,
    [run.id],
  );
  return { run, userId, counts: { total: run.total, ...counts }, criteria, usage };
}
