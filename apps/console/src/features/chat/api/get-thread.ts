import type { Conversation } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { isAnsweredElsewhere, isAnswering, threadFromConversation } from '../thread.js';

const ELSEWHERE_POLL_MS = 1500;

/**
 * GET /api/conversations/{id} as a thread. Not refetched while this page streams an answer into it: then the cached
 * thread is the only place that has its tokens. Polled while another page answers in it.
 */
export function threadQuery(conversationId: string) {
  return queryOptions({
    queryKey: queryKeys.thread(conversationId),
    queryFn: async ({ signal }) =>
      threadFromConversation(
        await callApi<Conversation>(`/api/conversations/${encodeURIComponent(conversationId)}`, { signal }),
      ),
    staleTime: Infinity,
    gcTime: Infinity,
    refetchInterval: ({ state: { data } }) =>
      data && isAnsweredElsewhere(data) && !isAnswering(data) ? ELSEWHERE_POLL_MS : false,
  });
}
