import type {
  AddVectorStoreFileRequest,
  CreateVectorStoreRequest,
  FileCounts,
  ListVectorStoreFilesQuery,
  PageQuery,
  UpdateVectorStoreRequest,
} from '@attune/contracts';
import { createId, NotFoundError } from '@attune/platform';
import { DataSource } from 'typeorm';
import { VectorStore, VectorStoreBatch, VectorStoreFile } from '../entities/index.js';
import { inOrder, keyset } from './keyset.js';
import { addFiles } from './vector-store-files.js';

const WITH_FILES = `
  select count(*) filter (where status = 'in_progress')::int as in_progress,
    count(*) filter (where status = 'completed')::int as completed,
    count(*) filter (where status = 'failed')::int as failed,
    count(*) filter (where status = 'cancelled')::int as cancelled,
    count(*)::int as total, coalesce(sum(usage_bytes), 0)::float8 as bytes
  from vector_store_file`;

export interface StoreTotals extends FileCounts {
  bytes: number;
}

/** Vector stores and the files in them; a user sees only their own, and none that has expired. */
export class VectorStoreRepository {
  constructor(private readonly db: DataSource) {}

  /** @throws InvalidRequestError when a file is not the user's */
  async create(userId: string, request: CreateVectorStoreRequest): Promise<VectorStore> {
    const id = createId('vs');
    await this.db.transaction(async (tx) => {
      await tx.getRepository(VectorStore).insert({
        id,
        userId,
        name: request.name,
        description: request.description ?? null,
        metadata: request.metadata ?? null,
        expiresAfterDays: request.expires_after?.days ?? null,
      });
      const files = request.file_ids.map((fileId) => ({
        file_id: fileId,
        chunking_strategy: request.chunking_strategy,
      }));
      await addFiles(tx, { userId, storeId: id, batchId: null }, files);
    });
    return this.get(id, userId);
  }

  /** @throws NotFoundError */
  async get(id: string, userId: string): Promise<VectorStore> {
    const store = await this.own(userId).andWhere('s.id = :id', { id }).getOne();
    if (!store) throw new NotFoundError(`There is no vector store \`${id}\`.`, { param: 'vector_store_id' });
    return store;
  }

  async list(userId: string, query: PageQuery): Promise<{ rows: VectorStore[]; hasMore: boolean }> {
    return inOrder(await keyset(this.own(userId), query, 'vector_store').getMany(), query);
  }

  async update(id: string, userId: string, change: UpdateVectorStoreRequest): Promise<VectorStore> {
    await this.get(id, userId);
    await this.db.getRepository(VectorStore).update(
      { id },
      {
        lastActiveAt: () => 'clock_timestamp()',
        ...(change.name !== undefined && { name: change.name ?? '' }),
        ...(change.metadata !== undefined && { metadata: change.metadata }),
        ...(change.expires_after !== undefined && { expiresAfterDays: change.expires_after?.days ?? null }),
      },
    );
    return this.get(id, userId);
  }

  async remove(id: string, userId: string): Promise<void> {
    await this.get(id, userId);
    await this.db.getRepository(VectorStore).delete({ id });
  }

  async totals(storeId: string): Promise<StoreTotals> {
    return (await this.db.query(`${WITH_FILES} where store_id = $1`, [storeId]))[0];
  }

  /** Adds files, or resets those that are in the store already, so that they are read again. */
  async add(storeId: string, userId: string, files: AddVectorStoreFileRequest[]): Promise<void> {
    await this.get(storeId, userId);
    await this.db.transaction((tx) => addFiles(tx, { userId, storeId, batchId: null }, files));
  }

  /** @throws NotFoundError */
  async file(storeId: string, fileId: string, userId: string): Promise<VectorStoreFile> {
    await this.get(storeId, userId);
    const file = await this.db.getRepository(VectorStoreFile).findOneBy({ storeId, fileId });
    if (!file) throw noSuchFile(storeId, fileId);
    return file;
  }

  async files(
    storeId: string,
    userId: string,
    { filter, ...page }: ListVectorStoreFilesQuery,
    batchId?: string,
  ): Promise<{ rows: VectorStoreFile[]; hasMore: boolean }> {
    await this.get(storeId, userId);
    const query = this.db.getRepository(VectorStoreFile).createQueryBuilder('f').where({ storeId });
    if (filter !== undefined) query.andWhere('f.status = :filter', { filter });
    if (batchId !== undefined) query.andWhere('f.batchId = :batchId', { batchId });
    const inStore = `(select * from vector_store_file where store_id = '${storeId.replaceAll("'", "''")}')`;
    return inOrder(await keyset(query, page, inStore, 'file_id').getMany(), page);
  }

  async updateFile(
    storeId: string,
    fileId: string,
    userId: string,
    attributes: VectorStoreFile['attributes'],
  ): Promise<VectorStoreFile> {
    await this.file(storeId, fileId, userId);
    await this.db.getRepository(VectorStoreFile).update({ storeId, fileId }, { attributes });
    return this.file(storeId, fileId, userId);
  }

  /** Takes the file out of the store; the file itself stays. */
  async removeFile(storeId: string, fileId: string, userId: string): Promise<void> {
    await this.file(storeId, fileId, userId);
    await this.db.getRepository(VectorStoreFile).delete({ storeId, fileId });
  }

  /** The text of a file as it was read. */
  async passages(storeId: string, fileId: string, userId: string): Promise<string[]> {
    await this.file(storeId, fileId, userId);
    const rows: { text: string }[] = await this.db.query(
      'select text from vector_store_passage where store_id = $1 and file_id = $2 order by ordinal',
      [storeId, fileId],
    );
    return rows.map(({ text }) => text);
  }

  async addBatch(storeId: string, userId: string, files: AddVectorStoreFileRequest[]): Promise<VectorStoreBatch> {
    await this.get(storeId, userId);
    const id = createId('vsfb');
    await this.db.transaction(async (tx) => {
      await tx.getRepository(VectorStoreBatch).insert({ id, storeId });
      await addFiles(tx, { userId, storeId, batchId: id }, files);
    });
    return this.batch(storeId, id, userId);
  }

  /** @throws NotFoundError */
  async batch(storeId: string, id: string, userId: string): Promise<VectorStoreBatch> {
    await this.get(storeId, userId);
    const batch = await this.db.getRepository(VectorStoreBatch).findOneBy({ id, storeId });
    if (!batch) throw new NotFoundError(`There is no file batch \`${id}\` in \`${storeId}\`.`, { param: 'batch_id' });
    return batch;
  }

  async batchTotals(batchId: string): Promise<StoreTotals> {
    return (await this.db.query(`${WITH_FILES} where batch_id = $1`, [batchId]))[0];
  }

  /** Files of the batch that have not been read yet never will be. */
  async cancelBatch(storeId: string, id: string, userId: string): Promise<VectorStoreBatch> {
    await this.batch(storeId, id, userId);
    await this.db.transaction(async (tx) => {
      await tx.getRepository(VectorStoreBatch).update({ id }, { cancelled: true });
      await tx
        .getRepository(VectorStoreFile)
        .update({ batchId: id, status: 'in_progress' }, { status: 'cancelled', leaseOwner: null, leasedUntil: null });
    });
    return this.batch(storeId, id, userId);
  }

  /** Deletes stores nobody used for as long as their owner said. @returns how many */
  async removeExpired(): Promise<number> {
    const query = this.db
      .createQueryBuilder()
      .delete()
      .from(VectorStore)
      .where(`not ${ALIVE.replaceAll('s.', '')}`);
    return (await query.execute()).affected ?? 0;
  }

  private own(userId: string) {
    const stores = this.db.getRepository(VectorStore).createQueryBuilder('s');
    return stores.where('s.userId = :userId', { userId }).andWhere(ALIVE);
  }
}

const ALIVE = `(s.expires_after_days is null or s.last_active_at + s.expires_after_days * interval '1 day' > clock_timestamp())`;

const noSuchFile = (storeId: string, fileId: string) =>
  new NotFoundError(`There is no file \`${fileId}\` in \`${storeId}\`.`, { param: 'file_id' });
