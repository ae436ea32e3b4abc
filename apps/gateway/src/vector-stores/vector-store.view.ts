import type { FileBatchObject, FileCounts, VectorStoreFileObject, VectorStoreObject } from '@attune/contracts';
import type { StoreTotals, VectorStore, VectorStoreBatch, VectorStoreFile } from '@attune/persistence';
import { seconds } from '../core/seconds.js';

const SECONDS_A_DAY = 86_400;

export function vectorStoreView(store: VectorStore, totals: StoreTotals): VectorStoreObject {
  const days = store.expiresAfterDays;
  return {
    id: store.id,
    object: 'vector_store',
    created_at: seconds(store.createdAt),
    name: store.name,
    description: store.description,
    usage_bytes: totals.bytes,
    file_counts: counts(totals),
    status: totals.in_progress > 0 ? 'in_progress' : 'completed',
    expires_after: days === null ? null : { anchor: 'last_active_at', days },
    expires_at: days === null ? null : seconds(store.lastActiveAt) + days * SECONDS_A_DAY,
    last_active_at: seconds(store.lastActiveAt),
    metadata: store.metadata,
  };
}

export const vectorStoreFileView = (file: VectorStoreFile): VectorStoreFileObject => ({
  id: file.fileId,
  object: 'vector_store.file',
  created_at: seconds(file.createdAt),
  vector_store_id: file.storeId,
  status: file.status,
  usage_bytes: file.usageBytes,
  last_error: file.lastError,
  attributes: file.attributes,
  chunking_strategy: file.chunkingStrategy.type === 'auto' ? { type: 'other' } : file.chunkingStrategy,
});

export const fileBatchView = (batch: VectorStoreBatch, totals: StoreTotals): FileBatchObject => ({
  id: batch.id,
  object: 'vector_store.files_batch',
  created_at: seconds(batch.createdAt),
  vector_store_id: batch.storeId,
  status: batchStatus(batch, totals),
  file_counts: counts(totals),
});

function batchStatus(batch: VectorStoreBatch, totals: FileCounts): FileBatchObject['status'] {
  if (batch.cancelled) return 'cancelled';
  if (totals.in_progress > 0) return 'in_progress';
  return totals.total > 0 && totals.failed === totals.total ? 'failed' : 'completed';
}

const counts = ({ in_progress, completed, failed, cancelled, total }: StoreTotals): FileCounts => ({
  in_progress,
  completed,
  failed,
  cancelled,
  total,
});
