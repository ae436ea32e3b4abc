import type { CreateUploadRequest } from '@attune/contracts';
import { ConflictError, createId, InvalidRequestError, NotFoundError } from '@attune/platform';
import { createHash } from 'node:crypto';
import { DataSource, In, type EntityManager } from 'typeorm';
import { Upload, UploadPart, type StoredFile } from '../entities/index.js';
import { fileTurns, inFileTurns } from '../turns.js';
import { isForeignKeyViolation } from '../postgres-errors.js';
import { insertStream, movePieces } from './file-pieces.js';
import { insertFile } from './file.repository.js';

const LIFETIME = `interval '1 hour'`;

/** Large files put together from parts; an upload that is not completed within an hour is dropped. */
export class UploadRepository {
  constructor(private readonly db: DataSource) {}

  async create(userId: string, request: CreateUploadRequest): Promise<Upload> {
    const id = createId('upload');
    await this.db
      .createQueryBuilder()
      .insert()
      .into(Upload)
      .values({
        id,
        userId,
        filename: request.filename,
        mimeType: request.mime_type,
        purpose: request.purpose,
        bytes: request.bytes,
        fileLifetimeSeconds: request.expires_after?.seconds ?? null,
        status: 'pending',
        expiresAt: () => `clock_timestamp() + ${LIFETIME}`,
      })
      .execute();
    return this.get(id, userId);
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<Upload> {
    const upload = await this.db.getRepository(Upload).findOneBy({ id, userId });
    if (!upload) throw notFound(id);
    return upload;
  }

  /**
   * Writes a part as its bytes come, a piece at a time, and holds a connection only while a piece is written. What was
   * written of a part that breaks off goes again.
   * @throws ConflictError when the upload takes no more parts, InvalidRequestError when they exceed its size
   */
  async addPart(id: string, userId: string, chunks: AsyncIterable<Buffer>): Promise<UploadPart> {
    const upload = await this.get(id, userId);
    expectPending(upload);
    const partId = createId('part');
    await this.db.getRepository(UploadPart).insert({ id: partId, uploadId: id, bytes: 0, whole: false });
    try {
      const bytes = await insertStream(inFileTurns(this.db), { partId }, noMoreThan(upload, chunks));
      return await this.whilePending(id, userId, (tx) => makeWhole(tx, upload, partId, bytes));
    } catch (error) {
      await this.db.getRepository(UploadPart).delete({ id: partId });
      // The part went with an upload that ended meanwhile: say so.
      if (isForeignKeyViolation(error)) expectPending(await this.get(id, userId));
      throw error;
    }
  }

  /**
   * Makes the file out of the parts in the given order; parts that are not named are dropped.
   * @throws InvalidRequestError when a part is unknown or named twice, or size or checksum differ
   */
  complete(id: string, userId: string, partIds: string[], md5?: string): Promise<{ upload: Upload; file: StoredFile }> {
    return this.whilePending(id, userId, async (tx, upload) => {
      await expectParts(tx, upload, partIds);
      if (md5 !== undefined) await expectChecksum(tx, partIds, md5);
      const { filename, purpose, bytes, fileLifetimeSeconds } = upload;
      const lifetimeSeconds = fileLifetimeSeconds ?? undefined;
      const file = await insertFile(tx, { userId, filename, purpose, bytes, lifetimeSeconds });
      await movePieces(tx, partIds, file.id);
      await tx.getRepository(UploadPart).delete({ uploadId: id });
      await tx.getRepository(Upload).update({ id }, { status: 'completed', fileId: file.id });
      return { upload: { ...upload, status: 'completed', fileId: file.id }, file };
    });
  }

  /** @throws ConflictError when it is not pending */
  cancel(id: string, userId: string): Promise<Upload> {
    return this.whilePending(id, userId, async (tx, upload) => {
      await tx.getRepository(UploadPart).delete({ uploadId: id });
      await tx.getRepository(Upload).update({ id }, { status: 'cancelled' });
      return { ...upload, status: 'cancelled' };
    });
  }

  /** Drops the parts of uploads nobody completed in time. @returns how many uploads that were */
  async removeExpired(): Promise<number> {
    const query = this.db
      .createQueryBuilder()
      .delete()
      .from(Upload)
      .where(`status = 'pending' and expires_at < clock_timestamp() - ${LIFETIME}`);
    return (await query.execute()).affected ?? 0;
  }

  /** The row is locked, so that the ends of parts and of an upload come one after the other. */
  private whilePending<T>(
    id: string,
    userId: string,
    change: (tx: EntityManager, upload: Upload) => Promise<T>,
  ): Promise<T> {
    return fileTurns(this.db).take(() =>
      this.db.transaction(async (tx) => {
        const lock = { mode: 'for_no_key_update' } as const;
        const upload = await tx.getRepository(Upload).findOne({ where: { id, userId }, lock });
        if (!upload) throw notFound(id);
        expectPending(upload);
        return change(tx, upload);
      }),
    );
  }
}

/** @throws ConflictError when it takes no more parts */
function expectPending({ id, status, expiresAt }: Upload): void {
  if (status !== 'pending') throw new ConflictError(`The upload \`${id}\` is ${status} already.`);
  if (expiresAt < new Date()) throw new ConflictError(`The upload \`${id}\` has expired; create a new one.`);
}

/** Ends a stream that alone is more than was announced, without taking it all in. */
async function* noMoreThan(upload: Upload, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > upload.bytes) throw tooMuch(upload, bytes);
    yield chunk;
  }
}

async function makeWhole(tx: EntityManager, upload: Upload, partId: string, bytes: number): Promise<UploadPart> {
  const parts = tx.getRepository(UploadPart);
  const before = (await parts.sum('bytes', { uploadId: upload.id })) ?? 0;
  if (before + bytes > upload.bytes) throw tooMuch(upload, before + bytes);
  await parts.update({ id: partId }, { bytes, whole: true });
  return parts.findOneByOrFail({ id: partId });
}

const tooMuch = (upload: Upload, bytes: number) =>
  new InvalidRequestError(
    `The parts hold ${bytes} bytes or more, the upload was announced with ${upload.bytes}; send no more.`,
    { param: 'data' },
  );

async function expectParts(tx: EntityManager, upload: Upload, partIds: string[]): Promise<void> {
  const known = await tx.getRepository(UploadPart).findBy({ uploadId: upload.id, id: In(partIds), whole: true });
  const unknown = partIds.find((partId) => !known.some((part) => part.id === partId));
  if (unknown !== undefined) {
    throw new InvalidRequestError(`\`${unknown}\` is no part of the upload \`${upload.id}\`.`, { param: 'part_ids' });
  }
  if (known.length !== partIds.length) {
    throw new InvalidRequestError('A part is named twice; name each once.', { param: 'part_ids' });
  }
  const bytes = known.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes !== upload.bytes) {
    throw new InvalidRequestError(
      `The parts hold ${bytes} bytes, the upload was announced with ${upload.bytes}; add the missing parts.`,
      { param: 'part_ids' },
    );
  }
}

async function expectChecksum(tx: EntityManager, partIds: string[], md5: string): Promise<void> {
  const hash = createHash('md5');
  for (const partId of partIds) {
    const rows: { content: Buffer }[] = await tx.query(
      'select content from file_piece where part_id = $1 order by ordinal',
      [partId],
    );
    for (const { content } of rows) hash.update(content);
  }
  const found = hash.digest();
  if (md5.toLowerCase() === found.toString('hex') || md5 === found.toString('base64')) return;
  throw new InvalidRequestError(`The parts have the MD5 ${found.toString('hex')}, not ${md5}; send them again.`, {
    param: 'md5',
  });
}

const notFound = (id: string) => new NotFoundError(`There is no upload \`${id}\`.`, { param: 'upload_id' });
