import type { ReviewItem, ReviewRequest } from '@attune/contracts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { notifyError } from '../../components/ui/notify.js';
import { queryKeys } from '../../lib/query-keys.js';
import { type ReviewQueue, reviewQueueQuery, sendVerdict } from './api/review.js';

/**
 * The queue, the entry on the screen, and verdicts. A verdict takes the entry off the queue at once; when the gateway
 * refuses it, the entry comes back where it was.
 */
export function useReview() {
  const queryClient = useQueryClient();
  const queue = useQuery(reviewQueueQuery());
  const [position, setPosition] = useState(0);
  const [numDecided, setNumDecided] = useState(0);
  const items = queue.data?.items ?? [];
  const index = Math.min(position, Math.max(0, items.length - 1));
  const setQueue = (change: (queue: ReviewQueue) => ReviewQueue) =>
    queryClient.setQueryData<ReviewQueue>(queryKeys.reviewQueue, (current) => current && change(current));

  const verdict = useMutation({
    mutationFn: sendVerdict,
    onMutate: async ({ feedbackId }) => {
      await queryClient.cancelQueries({ queryKey: queryKeys.reviewQueue });
      const at = items.findIndex((item) => item.feedback.id === feedbackId);
      setQueue((current) => ({ ...current, items: current.items.filter((item) => item.feedback.id !== feedbackId) }));
      setNumDecided((count) => count + 1);
      return { at, item: items[at] };
    },
    onError: (error, _, undo) => {
      notifyError(error);
      if (undo?.item) setQueue((current) => ({ ...current, items: current.items.toSpliced(undo.at, 0, undo.item!) }));
      setNumDecided((count) => count - 1);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: queryKeys.reviewQueue }),
  });

  const current: ReviewItem | undefined = items[index];
  const decide = (request: ReviewRequest) =>
    current && verdict.mutate({ feedbackId: current.feedback.id, verdict: request });
  const move = (step: number) => setPosition(Math.max(0, Math.min(items.length - 1, index + step)));
  return { queue, items, index, current, numDecided, decide, move, open: setPosition };
}
