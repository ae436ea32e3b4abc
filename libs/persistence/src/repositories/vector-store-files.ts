import type { AddVectorStoreFileRequest } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { In, type EntityManager } from 'typeorm';
import { StoredFile, VectorStore, VectorStoreFile } from '../entities/index.js';

interface Place {
  userId: string;
  storeId: string;
  batchId: string | null;
}

/**
 * Adds files, or resets those that are in the store already, so that they are read again.
 * @throws InvalidRequestError when one is not the user's
 */
export async function addFiles(tx: EntityManager, place: Place, files: AddVectorStoreFileRequest[]): Promise<void> {
  if (files.length === 0) return;
  const ids = files.map((file) => file.file_id);
  const own = await tx.getRepository(StoredFile).findBy({ id: In(ids), userId: place.userId, whole: true });
  const unknown = ids.find((id) => !own.some((file) => file.id === id));
  if (unknown !== undefined) throw new InvalidRequestError(`There is no file \`${unknown}\`.`, { param: 'file_id' });
  const { storeId, batchId } = place;
  const { byMeaning } = await tx.getRepository(VectorStore).findOneByOrFail({ id: storeId });
  // Passages go with the rows; a file that is added again is read again.
  await tx.getRepository(VectorStoreFile).delete({ storeId, fileId: In(ids) });
  await tx.getRepository(VectorStoreFile).insert(
    [...new Map(files.map((file) => [file.file_id, file])).values()].map((file) => ({
      storeId,
      batchId,
      fileId: file.file_id,
      status: 'in_progress' as const,
      usageBytes: 0,
      attributes: file.attributes ?? null,
      chunkingStrategy: file.chunking_strategy,
      vectors: byMeaning ? ('wanted' as const) : ('none' as const),
    })),
  );
  await tx.getRepository(VectorStore).update({ id: storeId }, { lastActiveAt: () => 'clock_timestamp()' });
}
