import { z } from 'zod';
import type { Citation } from './chat.js';
import type { Feedback } from './feedback.js';

/** PATCH /api/conversations/{id}; answers the summary. DELETE /api/conversations/{id} hides it. */
export const renameConversationRequest = z.object({ title: z.string().trim().min(1).max(200) });
export type RenameConversationRequest = z.output<typeof renameConversationRequest>;

/** GET /api/conversations, most recently used first */
export interface ConversationSummary {
  id: string;
  title: string;
  created: number;
  updated: number;
}
/** One answered (or interrupted) turn: tries of the same turn share `turn`. */
export interface ConversationTurn {
  completion_id: string;
  regenerate_of: string | null;
  prompt: string;
  answer: string;
  status: 'open' | 'done' | 'cancelled' | 'failed' | 'lost';
  stop_reason: string | null;
  model: string;
  system_fingerprint: string | null;
  citations: Citation[];
  feedback: Feedback[];
  created: number;
}
/** GET /api/conversations/{id} */
export interface Conversation extends ConversationSummary {
  turns: ConversationTurn[];
}
