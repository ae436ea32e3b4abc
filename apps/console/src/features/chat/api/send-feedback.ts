import type { Feedback, FeedbackRequest } from '@attune/contracts';
import { callApi } from '../../../lib/api-client.js';

/** POST /v1/feedback */
export function sendFeedback(request: FeedbackRequest): Promise<Feedback> {
  return callApi<Feedback>('/v1/feedback', { method: 'POST', body: request });
}
