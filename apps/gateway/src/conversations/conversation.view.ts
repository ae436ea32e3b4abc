import type { Conversation, ConversationSummary, ConversationTurn } from '@attune/contracts';
import type {
  Completion,
  Conversation as ConversationRow,
  ConversationHistory,
  Feedback as FeedbackRow,
} from '@attune/persistence';
import { seconds } from '../core/seconds.js';
import { feedbackView } from '../feedback/feedback.view.js';

export const summaryView = (row: ConversationRow): ConversationSummary => ({
  id: row.id,
  title: row.title,
  created: seconds(row.createdAt),
  updated: seconds(row.updatedAt),
});

export function conversationView({ conversation, completions, feedback }: ConversationHistory): Conversation {
  return {
    ...summaryView(conversation),
    turns: completions.map((completion) => turnView(completion, feedback)),
  };
}

function turnView(completion: Completion, feedback: FeedbackRow[]): ConversationTurn {
  return {
    completion_id: completion.id,
    regenerate_of: completion.regenerateOf,
    prompt: completion.messages.findLast((message) => message.role === 'user')?.content ?? '',
    answer: completion.answer,
    status: completion.status,
    stop_reason: completion.stopReason,
    model: completion.model,
    system_fingerprint: completion.weightsDigest,
    citations: completion.citations,
    feedback: feedback.filter((one) => one.completionId === completion.id).map(feedbackView),
    created: seconds(completion.openedAt),
  };
}
