import type { ConversationSummary } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi, callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** GET /api/conversations */
export function conversationsQuery() {
  return queryOptions({
    queryKey: queryKeys.conversations,
    queryFn: ({ signal }) => callList<ConversationSummary>('/api/conversations', { signal }),
    staleTime: 30_000,
  });
}

/** PATCH /api/conversations/{id} */
export function renameConversation({ id, title }: { id: string; title: string }): Promise<ConversationSummary> {
  return callApi(`/api/conversations/${encodeURIComponent(id)}`, { method: 'PATCH', body: { title } });
}

/** DELETE /api/conversations/{id} */
export function deleteConversation(id: string): Promise<void> {
  return callApi(`/api/conversations/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
