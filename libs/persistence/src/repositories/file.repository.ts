import type { FilePurpose, ListFilesQuery, OutputPurpose } from '@attune/contracts';
import { createId, InvalidRequestError, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { StoredFile } from '../entities/index.js';
import { isForeignKeyViolation } from '../postgres-errors.js';
import { fileTurns, inFileTurns } from '../turns.js';
import { insertStream, readPieces } from './file-pieces.js';
import { inOrder, keyset } from './keyset.js';

export interface NewFile {
  userId: string;
  filename: string;
  purpose: FilePurpose | OutputPurpose;
  content: Buffer;
  /** Left out: kept until it is deleted. */
  lifetimeSeconds?: number;
}

/** A file whose bytes are there, and which nobody sees before its purpose is known. */
export interface ReceivedFile {
  id: string;
  bytes: number;
}

/** A file that has not come to its end by then never will; its gateway has. */
const COMES_WITHIN = `interval '6 hours'`;

/** Files people upload and the server writes for them; a user sees only their own, and none that has expired. */
export class FileRepository {
  constructor(private readonly db: DataSource) {}

  /** The file with all its bytes, or nothing. */
  add({ content, lifetimeSeconds, ...columns }: NewFile): Promise<StoredFile> {
    return fileTurns(this.db).take(() =>
      this.db.transaction(async (tx) => {
        const file = await insertFile(tx, { ...columns, bytes: content.length, lifetimeSeconds });
        await insertStream(tx, { fileId: file.id }, [content]);
        return file;
      }),
    );
  }

  /**
   * Writes a file as its bytes come, a piece at a time, and holds a connection only while a piece is written. What was
   * written of one that breaks off goes again; the others wait for {@link complete} or {@link discard}.
   */
  async receive(userId: string, filename: string, chunks: AsyncIterable<Buffer>): Promise<ReceivedFile> {
    const id = createId('file');
    // What it is for is told by {@link complete}.
    const row = { id, userId, filename, purpose: 'user_data', bytes: 0, whole: false } as const;
    await this.db.getRepository(StoredFile).insert(row);
    try {
      return { id, bytes: await insertStream(inFileTurns(this.db), { fileId: id }, chunks) };
    } catch (error) {
      // What cannot be taken back now goes with what has expired.
      await this.discard(id).catch(() => undefined);
      if (isForeignKeyViolation(error)) throw tooSlow(filename, error);
      throw error;
    }
  }

  /** From now on the file is its user's to see; its time begins. */
  async complete(
    { id, bytes }: ReceivedFile,
    { purpose, lifetimeSeconds }: Pick<NewFile, 'purpose' | 'lifetimeSeconds'>,
  ): Promise<StoredFile> {
    await this.db.query(
      `update stored_file set purpose = $2, bytes = $3, whole = true, created_at = clock_timestamp(),
         expires_at = clock_timestamp() + $4 * interval '1 second' where id = $1`,
      [id, purpose, bytes, lifetimeSeconds ?? null],
    );
    return this.db.getRepository(StoredFile).findOneByOrFail({ id });
  }

  /** Takes back what was received of a file. */
  async discard(id: string): Promise<void> {
    await this.db.getRepository(StoredFile).delete({ id });
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<StoredFile> {
    const file = await this.own(userId).andWhere('f.id = :id', { id }).getOne();
    if (!file) throw notFound(id);
    return file;
  }

  async list(userId: string, query: ListFilesQuery): Promise<{ rows: StoredFile[]; hasMore: boolean }> {
    const files = this.own(userId);
    if (query.purpose !== undefined) files.andWhere('f.purpose = :purpose', { purpose: query.purpose });
    return inOrder(await keyset(files, query, 'stored_file').getMany(), query);
  }

  /** The bytes, piece by piece; one short query a piece, so that a slow reader holds no connection. */
  async *content(id: string, userId: string): AsyncGenerator<Buffer> {
    await this.get(id, userId);
    yield* readPieces(this.db, id);
  }

  /** All bytes at once; for files that are small enough to be parsed whole. */
  async read(id: string, userId: string): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.content(id, userId)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** @throws NotFoundError */
  async remove(id: string, userId: string): Promise<void> {
    const result = await this.db.getRepository(StoredFile).delete({ id, userId });
    if (!result.affected) throw notFound(id);
  }

  /** Deletes what has expired, and what a gateway that was killed has received of files. @returns how many files went */
  async removeExpired(): Promise<number> {
    const query = this.db
      .createQueryBuilder()
      .delete()
      .from(StoredFile)
      .where(`expires_at < clock_timestamp() or (not whole and created_at < clock_timestamp() - ${COMES_WITHIN})`);
    return (await query.execute()).affected ?? 0;
  }

  private own(userId: string): SelectQueryBuilder<StoredFile> {
    return this.db
      .getRepository(StoredFile)
      .createQueryBuilder('f')
      .where('f.userId = :userId and f.whole and (f.expiresAt is null or f.expiresAt > clock_timestamp())', { userId });
  }
}

type FileRow = Pick<StoredFile, 'userId' | 'filename' | 'purpose' | 'bytes'> & { lifetimeSeconds?: number };

/** The row of a file whose pieces the caller writes in the same transaction. */
export async function insertFile(tx: EntityManager, { lifetimeSeconds, ...columns }: FileRow): Promise<StoredFile> {
  const id = createId('file');
  await tx.getRepository(StoredFile).insert({ id, ...columns });
  if (lifetimeSeconds !== undefined) {
    await tx.query(`update stored_file set expires_at = created_at + $2 * interval '1 second' where id = $1`, [
      id,
      lifetimeSeconds,
    ]);
  }
  return tx.getRepository(StoredFile).findOneByOrFail({ id });
}

/** A file written by the server, as its bytes come; null when there are none. */
export async function insertWritten(
  tx: EntityManager,
  row: Omit<FileRow, 'bytes'>,
  chunks: AsyncIterable<Buffer>,
): Promise<string | null> {
  const { id } = await insertFile(tx, { ...row, bytes: 0 });
  const bytes = await insertStream(tx, { fileId: id }, chunks);
  await (bytes === 0
    ? tx.getRepository(StoredFile).delete({ id })
    : tx.getRepository(StoredFile).update({ id }, { bytes }));
  return bytes === 0 ? null : id;
}

const tooSlow = (filename: string, cause: unknown) =>
  new InvalidRequestError(`\`${filename}\` came too slowly; send it again, in parts through /v1/uploads.`, {
    param: 'file',
    cause,
  });

const notFound = (id: string) => new NotFoundError(`There is no file \`${id}\`.`, { param: 'file_id' });
