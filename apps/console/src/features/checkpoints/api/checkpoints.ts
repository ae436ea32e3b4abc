import type { CheckpointView, PromotionView } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi, callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

const POLL_MS = 10_000;

/** GET /api/checkpoints */
export function checkpointsQuery() {
  return queryOptions({
    queryKey: queryKeys.checkpoints,
    queryFn: ({ signal }) => callList<CheckpointView>('/api/checkpoints', { signal }),
    refetchInterval: POLL_MS,
  });
}

/** GET /api/promotions */
export function promotionsQuery() {
  return queryOptions({
    queryKey: queryKeys.promotions,
    queryFn: ({ signal }) => callList<PromotionView>('/api/promotions', { signal }),
    refetchInterval: POLL_MS,
  });
}

/** POST /api/checkpoints/{id}/promote */
export function promote(id: string): Promise<PromotionView> {
  return callApi(`/api/checkpoints/${encodeURIComponent(id)}/promote`, { method: 'POST', body: {} });
}

/** POST /api/checkpoints/rollback */
export function rollBack(): Promise<PromotionView> {
  return callApi('/api/checkpoints/rollback', { method: 'POST', body: {} });
}
