import type { PageQuery } from '@attune/contracts';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/**
 * Orders by time of creation and id, and starts after or before an entry that was seen. Takes one row more than asked
 * for, which only tells whether there is another page. With `before` the rows come in reverse: see {@link inOrder}.
 * @param table whose `created_at` and `key` the cursor names
 */
export function keyset<T extends ObjectLiteral>(
  query: SelectQueryBuilder<T>,
  { after, before, limit, order }: PageQuery,
  table: string,
  key = 'id',
): SelectQueryBuilder<T> {
  const ascending = (order === 'asc') !== (before !== undefined && after === undefined);
  const direction = ascending ? 'ASC' : 'DESC';
  const property = key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const cursor = after ?? before;
  if (cursor !== undefined) {
    query.andWhere(
      `(${query.alias}.createdAt, ${query.alias}.${property}) ${ascending ? '>' : '<'} ` +
        `(select c.created_at, c.${key} from ${table} c where c.${key} = :cursor order by c.created_at limit 1)`,
      { cursor },
    );
  }
  return query
    .orderBy(`${query.alias}.createdAt`, direction)
    .addOrderBy(`${query.alias}.${property}`, direction)
    .limit(limit + 1);
}

/** Rows of {@link keyset} in the order the page shows them, the surplus row left out. */
export function inOrder<T>(rows: T[], { after, before, limit }: PageQuery): { rows: T[]; hasMore: boolean } {
  const kept = rows.slice(0, limit);
  const backwards = before !== undefined && after === undefined;
  return { rows: backwards ? kept.toReversed() : kept, hasMore: rows.length > limit };
}
