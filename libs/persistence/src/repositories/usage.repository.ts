import { NotFoundError } from '@attune/platform';
import { DataSource } from 'typeorm';
import { ApiKey } from '../entities/index.js';

/** What a key may use; null = without limit. */
export interface KeyQuota {
  requestsPerDay: number | null;
  tokensPerDay: number | null;
  maxConcurrent: number | null;
}
export interface KeyUse {
  requests: number;
  tokens: number;
}
export interface DayOfUse {
  /** YYYY-MM-DD, in UTC. */
  day: string;
  keyId: string;
  keyName: string;
  userName: string;
  requests: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

/** Days are UTC's. */
const DAY = `(now() at time zone 'UTC')::date`;
const TODAY = `date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'`;

/**
 * What keys may use and what they have used: read off the completions themselves, so that nothing can disagree, and
 * counted by the day for embeddings, which leave no rows.
 */
export class UsageRepository {
  constructor(private readonly db: DataSource) {}

  /** A key's limits and what it has used since midnight (UTC). */
  async today(keyId: string): Promise<KeyQuota & KeyUse> {
    const rows: (KeyQuota & KeyUse)[] = await this.db.query(
      `select k.requests_per_day as "requestsPerDay", k.tokens_per_day::float8 as "tokensPerDay",
         k.max_concurrent as "maxConcurrent", (answers.requests + coalesce(e.requests, 0))::int as requests,
         (answers.tokens + coalesce(e.tokens, 0))::float8 as tokens
       from api_key k
       cross join lateral (
         select count(*) as requests, coalesce(sum(prompt_tokens + completion_tokens), 0) as tokens
         from completion c where c.api_key_id = k.id and c.opened_at >= ${TODAY}) answers
       left join embedding_use e on e.api_key_id = k.id and e.day = ${DAY}
       where k.id = $1`,
      [keyId],
    );
    return rows[0] ?? { requestsPerDay: null, tokensPerDay: null, maxConcurrent: null, requests: 0, tokens: 0 };
  }

  /** Counts one request for embeddings. */
  async countEmbedding(keyId: string, tokens: number): Promise<void> {
    await this.db.query(
      `insert into embedding_use as e (api_key_id, day, requests, tokens) values ($1, ${DAY}, 1, $2)
       on conflict (api_key_id, day) do update set requests = e.requests + 1, tokens = e.tokens + $2`,
      [keyId, tokens],
    );
  }

  /** @throws NotFoundError */
  async setQuota(keyId: string, quota: Partial<KeyQuota>): Promise<void> {
    if (Object.keys(quota).length === 0) return;
    const result = await this.db.getRepository(ApiKey).update({ id: keyId }, quota);
    if (!result.affected) throw new NotFoundError(`There is no key \`${keyId}\`.`);
  }

  /** Every key's use by day, newest day first. @param userId only of this user's keys */
  byDay(days: number, userId?: string): Promise<DayOfUse[]> {
    return this.db.query(
      `with used as (
         select (opened_at at time zone 'UTC')::date as day, api_key_id, 1 as requests, prompt_tokens, cached_tokens,
           completion_tokens
         from completion where opened_at >= ${TODAY} - make_interval(days => $1 - 1)
         union all
         select day, api_key_id, requests, tokens, 0, 0 from embedding_use where day > ${DAY} - $1::integer)
       select to_char(day, 'YYYY-MM-DD') as day, k.id as "keyId", k.name as "keyName", u.name as "userName",
         sum(requests)::int as requests, sum(prompt_tokens)::float8 as "promptTokens",
         sum(cached_tokens)::float8 as "cachedTokens", sum(completion_tokens)::float8 as "completionTokens"
       from used join api_key k on k.id = api_key_id join user_account u on u.id = k.user_id
       where $2::text is null or k.user_id = $2
       group by used.day, k.id, u.name order by used.day desc, k.id`,
      [days, userId ?? null],
    );
  }
}
