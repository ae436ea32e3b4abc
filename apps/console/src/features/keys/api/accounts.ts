import type { ApiKeyView, CreatedApiKey, Role, UserView } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi, callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** GET /api/users */
export function usersQuery() {
  return queryOptions({
    queryKey: queryKeys.users,
    queryFn: ({ signal }) => callList<UserView>('/api/users', { signal }),
  });
}

/** GET /api/keys */
export function keysQuery() {
  return queryOptions({
    queryKey: queryKeys.keys,
    queryFn: ({ signal }) => callList<ApiKeyView>('/api/keys', { signal }),
  });
}

/** POST /api/users */
export function createUser(body: { name: string; role: Role }): Promise<UserView> {
  return callApi('/api/users', { method: 'POST', body });
}

/** POST /api/keys: the only answer that holds the secret. */
export function createKey(body: { user_id: string; name: string }): Promise<CreatedApiKey> {
  return callApi('/api/keys', { method: 'POST', body });
}

/** DELETE /api/keys/{id} */
export function revokeKey(id: string): Promise<unknown> {
  return callApi(`/api/keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
