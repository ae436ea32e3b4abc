import type { ApiKeyView, KeyQuotaRequest, KeyUsageView } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi, callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** The days the page looks back on. */
export const DAYS_SHOWN = 30;
const REFRESH_MS = 30_000;

/** GET /api/usage */
export function keyUseQuery() {
  return queryOptions({
    queryKey: queryKeys.keyUse,
    queryFn: ({ signal }) => callList<KeyUsageView>(`/api/usage?days=${DAYS_SHOWN}`, { signal }),
    refetchInterval: REFRESH_MS,
  });
}

/** POST /api/keys/{id}/quota: null takes a limit away. */
export function setQuota(id: string, quota: KeyQuotaRequest): Promise<ApiKeyView> {
  return callApi(`/api/keys/${encodeURIComponent(id)}/quota`, { method: 'POST', body: quota });
}
