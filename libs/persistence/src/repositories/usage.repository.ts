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
const TODAY = `date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'`;

/** What keys may use and what they have used; read off the completions themselves, so that nothing can disagree. */
export class UsageRepository {
  constructor(private readonly db: DataSource) {}

  /** A key's limits and what it has used since midnight (UTC). */
  async today(keyId: string): Promise<KeyQuota & KeyUse> {
    const rows: (KeyQuota & KeyUse)[] = await this.db.query(
      `select k.requests_per_day as "requestsPerDay", k.tokens_per_day::float8 as "tokensPerDay",
         k.max_concurrent as "maxConcurrent", count(c.id)::int as requests,
         coalesce(sum(c.prompt_tokens + c.completion_tokens), 0)::float8 as tokens
       from api_key k left join completion c on c.api_key_id = k.id and c.opened_at >= ${TODAY}
       where k.id = $1 group by k.id`,
      [keyId],
    );
    return rows[0] ?? { requestsPerDay: null, tokensPerDay: null, maxConcurrent: null, requests: 0, tokens: 0 };
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
      `select to_char(c.opened_at at time zone 'UTC', 'YYYY-MM-DD') as day, k.id as "keyId", k.name as "keyName",
         u.name as "userName", count(*)::int as requests, coalesce(sum(c.prompt_tokens), 0)::float8 as "promptTokens",
         coalesce(sum(c.cached_tokens), 0)::float8 as "cachedTokens",
         coalesce(sum(c.completion_tokens), 0)::float8 as "completionTokens"
       from completion c join api_key k on k.id = c.api_key_id join user_account u on u.id = k.user_id
       where c.opened_at >= ${TODAY} - make_interval(days => $1 - 1) and ($2::text is null or k.user_id = $2)
       group by 1, k.id, u.name order by 1 desc, k.id`,
      [days, userId ?? null],
    );
  }
}
