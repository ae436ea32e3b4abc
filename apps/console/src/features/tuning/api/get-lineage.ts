import type { Lineage } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** GET /v1/lineage/{id}: for feedback, every checkpoint trained on it. */
export function lineageQuery(feedbackId: string) {
  return queryOptions({
    queryKey: queryKeys.lineage(feedbackId),
    queryFn: ({ signal }) => callApi<Lineage>(`/v1/lineage/${encodeURIComponent(feedbackId)}`, { signal }),
  });
}
