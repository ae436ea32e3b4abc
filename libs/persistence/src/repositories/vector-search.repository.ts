import type { AttributeFilter, ChunkingStrategy, FileAttributes } from '@attune/contracts';
import { DataSource } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import type { IndexingError } from '../entities/index.js';
import { BEGIN_ANEW, LeasedQueue, LET_GO, type Claim } from '../leased-queue.js';
import { searchTerms } from '../search-terms.js';
import { filterSql } from './attribute-filter.js';

export interface FoundStorePassage {
  storeId: string;
  fileId: string;
  filename: string;
  ordinal: number;
  text: string;
  /** 0 to 1. */
  score: number;
  attributes: FileAttributes | null;
}

export interface FileToIndex {
  claim: Claim;
  storeId: string;
  fileId: string;
  userId: string;
  filename: string;
  chunkingStrategy: ChunkingStrategy;
}

/** What the indexer and the search need of vector stores. */
export class VectorSearchRepository {
  readonly queue: LeasedQueue;

  constructor(private readonly db: DataSource) {
    const key = ['store_id', 'file_id'];
    this.queue = new LeasedQueue(db, { table: 'vector_store_file', key, open: `status = 'in_progress'` });
  }

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
  async claim(): Promise<FileToIndex | null> {
    const claim = await this.queue.claim();
    if (!claim) return null;
    const [row]: Omit<FileToIndex, 'claim'>[] = await this.db.query(
      `select f.store_id as "storeId", f.file_id as "fileId", f.chunking_strategy as "chunkingStrategy",
         file.user_id as "userId", file.filename
       from vector_store_file f join stored_file file on file.id = f.file_id
       where f.store_id = $1 and f.file_id = $2`,
      [...claim.key],
    );
    return row ? { claim, ...row } : null;
  }

  /** Writes what was read; a file that was cancelled, taken out or added again meanwhile stays so. */
  async complete({ claim, storeId, fileId }: FileToIndex, passages: string[]): Promise<void> {
    const bytes = passages.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    await this.queue.whileHeld(claim, async (tx) => {
      // The queue of vectors counts in the same columns.
      const set = `status = 'completed', usage_bytes = $1, last_error = null, ${BEGIN_ANEW}`;
      await this.queue.change(claim, set, { parameters: [bytes], tx });
      await tx.query(
        `insert into vector_store_passage (store_id, file_id, ordinal, text)
         select $1, $2, place - 1, text from unnest($3::text[]) with ordinality as passage (text, place)`,
        [storeId, fileId, passages],
      );
    });
  }

  async fail({ claim }: FileToIndex, error: IndexingError): Promise<void> {
    const set = `status = 'failed', last_error = $1, ${LET_GO}`;
    await this.queue.change(claim, set, { parameters: [storableJsonText(error)] });
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
  select b.store_id as "storeId", b.file_id as "fileId", file.filename, b.ordinal, p.text, b.score, f.attributes
  from best b
  join vector_store_passage p on p.store_id = b.store_id and p.file_id = b.file_id and p.ordinal = b.ordinal
  join searched f on f.store_id = b.store_id and f.file_id = b.file_id
  join stored_file file on file.id = b.file_id
  where b.score >= $4
  order by b.score desc, b.file_id, b.ordinal
  limit $3`;
