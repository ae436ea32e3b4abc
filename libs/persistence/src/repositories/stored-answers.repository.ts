import { DataSource } from 'typeorm';
import { Completion, StoredResponse } from '../entities/index.js';

/** Which of a user's stored answers; a filter that is left out or null lets all through. */
export interface StoredAnswerFilter {
  model?: string | null;
  metadata?: Record<string, string> | null;
  /** Unix seconds, both inclusive. */
  createdAfter?: number | null;
  createdBefore?: number | null;
}
export interface StoredResponseFilter extends StoredAnswerFilter {
  /** Part of the instructions, in any case. */
  instructions?: string | null;
  reasoningEffort?: string | null;
  temperature?: number | null;
  topP?: number | null;
  /** Names of functions, or types of other tools; one of them was offered. */
  tools?: string[] | null;
  /** One of them asked: `user` or `safety_identifier`. */
  users?: string[] | null;
}

const PAGE = 100;

/** Answers a user asked to keep, oldest first, read page by page: the rows of evals over what was answered before. */
export class StoredAnswersRepository {
  constructor(private readonly db: DataSource) {}

  /** The first answer to each request; requests with their whole conversation. */
  async *completions(userId: string, filter: StoredAnswerFilter): AsyncGenerator<Completion> {
    const page = (after: Completion | undefined) => {
      const rows = this.db
        .getRepository(Completion)
        .createQueryBuilder('c')
        .where(`c.userId = :userId and c.stored and c.choiceIndex = 0 and c.status = 'done'`, { userId })
        .orderBy('c.openedAt')
        .addOrderBy('c.id')
        .limit(PAGE);
      const { model, metadata, createdAfter, createdBefore } = filter;
      if (model != null) rows.andWhere('c.model = :model', { model });
      if (metadata) rows.andWhere('c.metadata @> :metadata', { metadata });
      if (createdAfter != null) rows.andWhere('c.openedAt >= to_timestamp(:createdAfter)', { createdAfter });
      if (createdBefore != null) rows.andWhere('c.openedAt < to_timestamp(:createdBefore + 1)', { createdBefore });
      if (after) {
        const seen = '(select b.opened_at, b.id from completion b where b.id = :after)';
        rows.andWhere(`(c.openedAt, c.id) > ${seen}`, { after: after.id });
      }
      return rows.getMany();
    };
    yield* paged(page);
  }

  /** Responses that have ended with an answer. */
  async *responses(userId: string, filter: StoredResponseFilter): AsyncGenerator<StoredResponse> {
    const conditions = responseConditions(filter);
    const page = (after: StoredResponse | undefined) => {
      const rows = this.db
        .getRepository(StoredResponse)
        .createQueryBuilder('r')
        .where(`r.userId = :userId and r.deletedAt is null and r.status in ('completed', 'incomplete')`, { userId })
        .orderBy('r.createdAt')
        .addOrderBy('r.id')
        .limit(PAGE);
      for (const [condition, parameters] of conditions) rows.andWhere(condition, parameters);
      if (after) {
        const seen = '(select b.created_at, b.id from response b where b.id = :after)';
        rows.andWhere(`(r.createdAt, r.id) > ${seen}`, { after: after.id });
      }
      return rows.getMany();
    };
    yield* paged(page);
  }
}

async function* paged<Row>(page: (after: Row | undefined) => Promise<Row[]>): AsyncGenerator<Row> {
  let rows: Row[] = [];
  do {
    rows = await page(rows.at(-1));
    yield* rows;
  } while (rows.length === PAGE);
}

/** SQL over the response's body as clients were told it; each with a parameter of its own name. */
const RESPONSE_CONDITIONS: Record<keyof StoredResponseFilter, string> = {
  model: `r.body ->> 'model' = :model`,
  metadata: `r.body -> 'metadata' @> :metadata`,
  createdAfter: 'r.createdAt >= to_timestamp(:createdAfter)',
  createdBefore: 'r.createdAt < to_timestamp(:createdBefore + 1)',
  instructions: `position(lower(:instructions) in lower(r.body ->> 'instructions')) > 0`,
  reasoningEffort: `r.body #>> '{reasoning,effort}' = :reasoningEffort`,
  temperature: `(r.body ->> 'temperature')::float8 = :temperature`,
  topP: `(r.body ->> 'top_p')::float8 = :topP`,
  tools: `exists (select from jsonb_array_elements(r.body -> 'tools') tool
    where coalesce(tool ->> 'name', tool ->> 'type') = any(:tools))`,
  users: `(r.body ->> 'user' = any(:users) or r.body ->> 'safety_identifier' = any(:users))`,
};

function responseConditions(filter: StoredResponseFilter): [string, Record<string, unknown>][] {
  return Object.entries(filter).flatMap(([name, value]) =>
    value === undefined || value === null
      ? []
      : [[RESPONSE_CONDITIONS[name as keyof StoredResponseFilter], { [name]: value }]],
  );
}
