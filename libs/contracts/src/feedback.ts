import { z } from 'zod';

const common = { completion_id: z.string().min(1), comment: z.string().max(4000).optional() };

/** POST /v1/feedback: what a person thought of a completion. */
export const feedbackRequest = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('thumb'), value: z.enum(['up', 'down']) }),
  z.object({ ...common, type: z.literal('comment'), comment: z.string().min(1).max(4000) }),
  z.object({ ...common, type: z.literal('correction'), text: z.string().min(1).max(32_000) }),
  /** `completion_id` is the chosen answer; both must answer the same messages. */
  z.object({ ...common, type: z.literal('choice'), rejected_completion_id: z.string().min(1) }),
]);
export type FeedbackRequest = z.output<typeof feedbackRequest>;
export const feedbackType = z.enum(['thumb', 'comment', 'correction', 'choice']);
export type FeedbackType = z.output<typeof feedbackType>;

export const reviewStatus = z.enum(['pending', 'approved', 'rejected']);
export type ReviewStatus = z.output<typeof reviewStatus>;

export interface Feedback {
  id: string;
  object: 'feedback';
  completion_id: string;
  rejected_completion_id: string | null;
  type: FeedbackType;
  value: 'up' | 'down' | null;
  text: string | null;
  comment: string | null;
  status: ReviewStatus;
  user_id: string;
  created: number;
}

/** POST /api/review/{feedback_id}: a reviewer's verdict. `edit` approves with `edited_text` as the answer to learn. */
export const reviewRequest = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('approve'), note: z.string().max(4000).optional() }),
  z.object({
    verdict: z.literal('edit'),
    edited_text: z.string().min(1).max(32_000),
    note: z.string().max(4000).optional(),
  }),
  z.object({ verdict: z.literal('reject'), note: z.string().max(4000).optional() }),
]);
export type ReviewRequest = z.output<typeof reviewRequest>;

/** One entry of GET /api/review/queue?status=pending&limit=50&after=<id>: everything a reviewer must see. */
export interface ReviewItem {
  feedback: Feedback;
  completion: CompletionView;
  rejected_completion: CompletionView | null;
  edited_text: string | null;
}
export interface CompletionView {
  id: string;
  messages: { role: string; content: string }[];
  answer: string;
  model: string;
  weights_digest: string | null;
  created: number;
}
