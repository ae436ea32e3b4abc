import type { Model } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** GET /v1/models */
export function modelsQuery() {
  return queryOptions({
    queryKey: queryKeys.models,
    queryFn: ({ signal }) => callList<Model>('/v1/models', { signal }),
    staleTime: 60_000,
  });
}
