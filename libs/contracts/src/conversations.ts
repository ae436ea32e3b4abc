import type { Citation } from './chat.js';
import type { Feedback } from './feedback.js';

/** GET /api/conversations */
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
