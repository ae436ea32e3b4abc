import type { AttributeFilter, FileAttributes } from '@attune/contracts';
import { DataSource } from 'typeorm';
import type { ChunkingStrategy } from '@attune/contracts';
import type { IndexingError } from '../entities/index.js';
import { searchTerms } from '../search-terms.js';
import { filterSql } from './attribute-filter.js';

export interface FoundStorePassage {
  fileId: string;
  filename: string;
  ordinal: number;
  text: string;
  /** 0 to 1. */
  score: number;
  attributes: FileAttributes | null;
}

export interface FileToIndex {
  storeId: string;
  fileId: string;
  userId: string;
  filename: string;
  chunkingStrategy: ChunkingStrategy;
}

/** A file whose reader has not finished by then is given to another. */
const CLAIM = `interval '5 minutes'`;

/** What the indexer and the search need of vector stores. */
export class VectorSearchRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * The passages of some stores that fit a query best. The score is BM25's (as documents are searched) divided by the
   * most it could be: 1 would be a passage that repeats every word of the query for ever.
   */
  async search(
    storeIds: string[],
    query: string,
    options: { limit: number; filter?: AttributeFilter; threshold?: number },
  ): Promise<FoundStorePassage[]> {
    const terms = searchTerms(query);
    const parameters: unknown[] = [storeIds, terms, options.limit, options.threshold ?? 0];
    const fits = options.filter ? filterSql(options.filter, 'f.attributes', parameters) : 'true';
    await this.db.query('update vector_store set last_active_at = clock_timestamp() where id = any($1)', [storeIds]);
    if (terms.length === 0) return [];
    return this.db.query(searchSql(fits), parameters);
  }

  /** Takes the file that has waited longest, so that no other gateway reads it at the same time. */
  async claim(): Promise<FileToIndex | undefined> {
    const rows: FileToIndex[] = await this.db.query(`
      with next as (
        select store_id, file_id from vector_store_file
        where status = 'in_progress' and (claimed_at is null or claimed_at < clock_timestamp() - ${CLAIM})
        order by created_at limit 1 for update skip locked
      ), claimed as (
        update vector_store_file f set claimed_at = clock_timestamp()
        from next where f.store_id = next.store_id and f.file_id = next.file_id
        returning f.store_id, f.file_id, f.chunking_strategy
      )
      select c.store_id as "storeId", c.file_id as "fileId", c.chunking_strategy as "chunkingStrategy",
        file.user_id as "userId", file.filename
      from claimed c join stored_file file on file.id = c.file_id`);
    return rows[0];
  }

  /** Writes what was read; a file that was cancelled or taken out meanwhile stays so. */
  async complete({ storeId, fileId }: FileToIndex, passages: string[]): Promise<void> {
    const bytes = passages.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    await this.db.query(
      `with done as (
        update vector_store_file set status = 'completed', usage_bytes = $3, last_error = null
        where store_id = $1 and file_id = $2 and status = 'in_progress' returning 1
      )
      insert into vector_store_passage (store_id, file_id, ordinal, text)
      select $1, $2, place - 1, text from unnest($4::text[]) with ordinality as passage (text, place)
      where exists (select from done)
      on conflict do nothing`,
      [storeId, fileId, bytes, passages],
    );
  }

  async fail({ storeId, fileId }: FileToIndex, error: IndexingError): Promise<void> {
    await this.db.query(
      `update vector_store_file set status = 'failed', last_error = $3
       where store_id = $1 and file_id = $2 and status = 'in_progress'`,
      [storeId, fileId, JSON.stringify(error)],
    );
  }
}

const searchSql = (fits: string) => `
  with searched as materialized (
    select f.* from vector_store_file f where f.store_id = any($1) and f.status = 'completed' and ${fits}
  ), term as materialized (
    select distinct to_tsquery('english', word) as query from unnest($2::text[]) as word
  ), hit as (
    select p.store_id, p.file_id, p.ordinal, t.query, ts_rank_cd('{1,1,1,1}', p.tsv, t.query, 32) as saturation
    from term t
    join vector_store_passage p on p.tsv @@ t.query
    join searched f on f.store_id = p.store_id and f.file_id = p.file_id
    where numnode(t.query) > 0
  ), size as (
    select count(*)::float8 as passages from vector_store_passage p
    join searched f on f.store_id = p.store_id and f.file_id = p.file_id
  ), weight as (
    select t.query, ln(1 + (s.passages - count(h.query) + 0.5) / (count(h.query) + 0.5)) as idf
    from term t cross join size s left join hit h on h.query = t.query
    where numnode(t.query) > 0
    group by t.query, s.passages
  ), best as (
    select h.store_id, h.file_id, h.ordinal,
      (sum(w.idf * h.saturation) / (select sum(idf) from weight))::float8 as score
    from hit h join weight w on w.query = h.query
    group by h.store_id, h.file_id, h.ordinal
  )
  select b.file_id as "fileId", file.filename, b.ordinal, p.text, b.score, f.attributes
  from best b
  join vector_store_passage p on p.store_id = b.store_id and p.file_id = b.file_id and p.ordinal = b.ordinal
  join searched f on f.store_id = b.store_id and f.file_id = b.file_id
  join stored_file file on file.id = b.file_id
  where b.score >= $4
  order by b.score desc, b.file_id, b.ordinal
  limit $3`;
