import type { ListBody, ReviewItem, ReviewRequest } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

const PAGE_SIZE = 50;
const POLL_MS = 15_000;

/** What waits for a verdict, oldest first; `more` when the gateway has further ones. */
export interface ReviewQueue {
  items: ReviewItem[];
  more: boolean;
}

/** GET /api/review/queue */
export function reviewQueueQuery() {
  return queryOptions({
    queryKey: queryKeys.reviewQueue,
    queryFn: async ({ signal }): Promise<ReviewQueue> => {
      const path = `/api/review/queue?status=pending&limit=${PAGE_SIZE}`;
      const { data, has_more } = await callApi<ListBody<ReviewItem>>(path, { signal });
      return { items: data, more: has_more };
    },
    refetchInterval: POLL_MS,
  });
}

/** POST /api/review/{feedback_id} */
export function sendVerdict({ feedbackId, verdict }: { feedbackId: string; verdict: ReviewRequest }): Promise<unknown> {
  return callApi(`/api/review/${encodeURIComponent(feedbackId)}`, { method: 'POST', body: verdict });
}
