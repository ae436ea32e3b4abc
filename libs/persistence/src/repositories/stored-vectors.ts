import type { DataSource } from 'typeorm';
import { ByteCache } from '../byte-cache.js';
import type { VectorRows } from './nearest.js';

/** Passages read at once: a few megabytes of vectors. */
const PAGE = 2_000;
/** Text of files whose vectors are read together. */
const MOST_TEXT_BYTES = 1 << 20;
const MOST_FILES = 500;
/** Of vectors in memory. */
const MOST_KEPT_BYTES = 64 << 20;

export interface PassageKey {
  storeId: string;
  fileId: string;
  ordinal: number;
}

/** A file of a store whose passages all have vectors. */
export interface EmbeddedFile {
  storeId: string;
  fileId: string;
  /** Another one as soon as any of its vectors may be another. */
  name: string;
  textBytes: number;
}

/** A passage's vector stands at its ordinal. */
interface FileVectors {
  values: Float32Array;
  width: number;
  byteLength: number;
}

/** The vectors of files, from memory where they were read lately. */
export class StoredVectors {
  private readonly kept = new ByteCache<FileVectors>(MOST_KEPT_BYTES);

  constructor(private readonly db: DataSource) {}

  /** All of them, a file at a time: first those in memory, then the others. */
  async *of(files: readonly EmbeddedFile[]): AsyncGenerator<VectorRows<PassageKey>> {
    const missing: EmbeddedFile[] = [];
    for (const file of files) {
      const known = this.kept.get(file.name);
      if (known) yield rowsOf(file, known);
      else missing.push(file);
    }
    for (const group of inGroups(missing)) {
      const pages = await this.read(group);
      for (const file of group) {
        const vectors = joined(pages.get(file.fileId + file.storeId) ?? []);
        this.kept.set(file.name, vectors);
        yield rowsOf(file, vectors);
      }
    }
  }

  /** The vectors of each file of a group, in the order of its passages. As base64, read three times as fast as bytea. */
  private async read(group: readonly EmbeddedFile[]): Promise<Map<string, Buffer[]>> {
    const found = new Map<string, Buffer[]>(group.map(({ storeId, fileId }) => [fileId + storeId, []]));
    const [stores, files] = [group.map(({ storeId }) => storeId), group.map(({ fileId }) => fileId)];
    let last: [string, string, number] = ['', '', -1];
    for (let more = true; more;) {
      const rows: { storeId: string; fileId: string; ordinal: number; vector: string }[] = await this.db.query(
        `select p.store_id as "storeId", p.file_id as "fileId", p.ordinal, encode(p.vector, 'base64') as vector
         from unnest($1::text[], $2::text[]) as asked (store_id, file_id)
         join vector_store_passage p on p.store_id = asked.store_id and p.file_id = asked.file_id
         where p.vector is not null and (p.store_id, p.file_id, p.ordinal) > ($3, $4, $5::int)
         order by p.store_id, p.file_id, p.ordinal limit ${PAGE}`,
        [stores, files, ...last],
      );
      for (const { storeId, fileId, vector } of rows) found.get(fileId + storeId)!.push(Buffer.from(vector, 'base64'));
      more = rows.length === PAGE;
      const end = rows.at(-1);
      if (end) last = [end.storeId, end.fileId, end.ordinal];
    }
    return found;
  }
}

/** Files in their order, so many together that their text is not too much; a larger one stands alone. */
export function inGroups(files: readonly EmbeddedFile[]): EmbeddedFile[][] {
  const groups: EmbeddedFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = groups.at(-1);
    bytes += file.textBytes;
    if (last && bytes <= MOST_TEXT_BYTES && last.length < MOST_FILES) last.push(file);
    else {
      groups.push([file]);
      bytes = file.textBytes;
    }
  }
  return groups;
}

function joined(vectors: readonly Buffer[]): FileVectors {
  // A copy, because bytes may start anywhere and floats must not.
  const values = new Float32Array(new Uint8Array(Buffer.concat(vectors)).buffer);
  return { values, width: vectors.length === 0 ? 0 : values.length / vectors.length, byteLength: values.byteLength };
}

const rowsOf = ({ storeId, fileId }: EmbeddedFile, { values, width }: FileVectors): VectorRows<PassageKey> => ({
  values,
  width,
  keyOf: (ordinal) => ({ storeId, fileId, ordinal }),
});
