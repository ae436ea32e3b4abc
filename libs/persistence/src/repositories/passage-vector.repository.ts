import type { AttributeFilter } from '@attune/contracts';
import { DataSource } from 'typeorm';
import { BEGIN_ANEW, LeasedQueue, LET_GO, type Claim } from '../leased-queue.js';
import { filterSql } from './attribute-filter.js';
import { nearestOf, type Near } from './nearest.js';
import { StoredVectors, type EmbeddedFile, type PassageKey } from './stored-vectors.js';
import type { FoundStorePassage } from './vector-search.repository.js';

/** A file whose passages need vectors. */
export interface FileToEmbed {
  claim: Claim;
  storeId: string;
  fileId: string;
}
/** The vectors of passages: made for the stores somebody searches by meaning, and searched one by one. */
export class PassageVectorRepository {
  readonly queue: LeasedQueue;
  private readonly vectors: StoredVectors;

  constructor(private readonly db: DataSource) {
    this.vectors = new StoredVectors(db);
    this.queue = new LeasedQueue(db, {
      table: 'vector_store_file',
      key: ['store_id', 'file_id'],
      open: `status = 'completed' and vectors = 'wanted'`,
      progress: `select count(p.vector) from vector_store_passage p
        where p.store_id = q.store_id and p.file_id = q.file_id`,
    });
  }

  /**
   * Asks for the vectors of these stores, now and of files that are added later.
   * @param model digest of the weights that make them; vectors of other weights are made anew
   * @returns how many files that can be searched have not all of theirs yet
   */
  async want(storeIds: string[], model: string): Promise<number> {
    const [{ lacking }]: { lacking: number }[] = await this.db.query(
      `select count(*)::int as lacking from vector_store_file f
       where f.store_id = any($1) and f.status = 'completed' and ${LACKING}`,
      [storeIds, model],
    );
    if (lacking > 0) await this.ask(storeIds, model);
    return lacking;
  }

  private ask(storeIds: string[], model: string): Promise<void> {
    return this.db.transaction(async (tx) => {
      await tx.query('update vector_store set by_meaning = true where id = any($1) and not by_meaning', [storeIds]);
      await tx.query(
        `update vector_store_file f set vectors = 'wanted', ${BEGIN_ANEW}
         where f.store_id = any($1) and f.status = 'completed'
           and (f.vectors = 'none' or f.vectors in ('made', 'failed') and f.vectors_of is distinct from $2)`,
        [storeIds, model],
      );
    });
  }

  /** Takes the file that has waited longest for vectors and that nobody makes. */
  async claim(): Promise<FileToEmbed | null> {
    const claim = await this.queue.claim();
    return claim && { claim, storeId: claim.key[0], fileId: claim.key[1] };
  }

  /** Notes which weights make the vectors; those that others have made go. @returns whether the file was still held */
  begin({ claim, storeId, fileId }: FileToEmbed, model: string): Promise<boolean> {
    return this.queue.whileHeld(claim, async (tx) => {
      await tx.query(
        `update vector_store_passage p set vector = null from vector_store_file f
         where f.store_id = $1 and f.file_id = $2 and f.vectors_of <> $3
           and p.store_id = $1 and p.file_id = $2 and p.vector is not null`,
        [storeId, fileId, model],
      );
      await this.queue.change(claim, 'vectors_of = $1', { parameters: [model], tx });
    });
  }

  /** Some passages of the file that have no vector yet, in order. */
  without({ storeId, fileId }: FileToEmbed, most: number): Promise<{ ordinal: number; text: string }[]> {
    return this.db.query(
      `select ordinal, text from vector_store_passage
       where store_id = $1 and file_id = $2 and vector is null order by ordinal limit $3`,
      [storeId, fileId, most],
    );
  }

  /** @returns whether the file was still held; otherwise nothing was written */
  add({ claim, storeId, fileId }: FileToEmbed, vectors: { ordinal: number; vector: Float32Array }[]): Promise<boolean> {
    return this.queue.whileHeld(claim, async (tx) => {
      await tx.query(
        `update vector_store_passage p set vector = made.vector
         from unnest($3::int[], $4::bytea[]) as made (ordinal, vector)
         where p.store_id = $1 and p.file_id = $2 and p.ordinal = made.ordinal`,
        [storeId, fileId, vectors.map(({ ordinal }) => ordinal), vectors.map(({ vector }) => bytesOf(vector))],
      );
    });
  }

  /** All are made. */
  async end({ claim }: FileToEmbed): Promise<void> {
    await this.queue.change(claim, `vectors = 'made', ${LET_GO}`);
  }

  /** The file goes without until other weights are to make them: its passages are found by their words only. */
  async giveUp({ claim }: FileToEmbed, model: string): Promise<void> {
    await this.queue.change(claim, `vectors = 'failed', vectors_of = $1, ${LET_GO}`, { parameters: [model] });
  }

  /**
   * The passages of some stores whose vectors are nearest to one of length 1, nearest first. Looks at all of them;
   * those of files that were searched lately are in memory.
   */
  async nearest(
    storeIds: string[],
    vector: Float32Array,
    { limit, filter }: { limit: number; filter?: AttributeFilter },
  ): Promise<Near<PassageKey>[]> {
    const parameters: unknown[] = [storeIds];
    const fits = filter ? filterSql(filter, 'f.attributes', parameters) : 'true';
    // What is in memory is named by what would change with it: the file when it is added again, the vectors by weights.
    const files: EmbeddedFile[] = await this.db.query(
      `select f.store_id as "storeId", f.file_id as "fileId",
         f.store_id || f.file_id || f.created_at::text || f.vectors_of as name,
         f.usage_bytes as "textBytes"
       from vector_store_file f
       where f.store_id = any($1) and f.status = 'completed' and f.vectors = 'made' and ${fits}
       order by f.store_id, f.file_id`,
      parameters,
    );
    return nearestOf(vector, this.vectors.of(files), limit);
  }

  /** The passages of these keys, in any order; those that are gone are left out. */
  read(keys: readonly PassageKey[]): Promise<Omit<FoundStorePassage, 'score'>[]> {
    return this.db.query(
      `select p.store_id as "storeId", p.file_id as "fileId", file.filename, p.ordinal, p.text, f.attributes
       from unnest($1::text[], $2::text[], $3::int[]) as key (store_id, file_id, ordinal)
       join vector_store_passage p using (store_id, file_id, ordinal)
       join vector_store_file f using (store_id, file_id)
       join stored_file file on file.id = p.file_id`,
      [keys.map(({ storeId }) => storeId), keys.map(({ fileId }) => fileId), keys.map(({ ordinal }) => ordinal)],
    );
  }
}

/** SQL over a file `f` that was read, with the model's digest as $2. */
const LACKING = `(f.vectors in ('none', 'wanted') or f.vectors_of is distinct from $2)`;

const bytesOf = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
