import type { SessionView } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from '../../../lib/api-client.js';
import { readApiKey } from '../../../lib/api-key.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** GET /api/session with the key of this browser. */
export function sessionQuery() {
  const apiKey = readApiKey();
  return queryOptions({
    queryKey: queryKeys.session(apiKey),
    queryFn: ({ signal }) => callApi<SessionView>('/api/session', { signal }),
    staleTime: Infinity,
  });
}

/** Tries a key out. @throws ApiError when the gateway does not know it. */
export function checkApiKey(apiKey: string): Promise<SessionView> {
  return callApi<SessionView>('/api/session', { apiKey });
}
