import type { CuratedRow, ReviewedFeedback } from './curated-row.js';

/**
 * Feedback that says one answer is better than another: the choice itself, and every corrected or edited text against
 * the answer it replaces. An answer that was cut may be the worse one, never the better. A reviewer's edit of a choice beats both answers, and the choice still stands.
 */
export function toPreferences(feedback: readonly ReviewedFeedback[]): CuratedRow[] {
  return feedback.flatMap((entry) => pairs(entry).map(([chosen, rejected]) => preference(entry, chosen, rejected)));
}

function pairs(entry: ReviewedFeedback): [chosen: string, rejected: string][] {
  const better = entry.editedText ?? (entry.type === 'correction' ? entry.text : null);
  const found: [string, string][] = better === null ? [] : [[better, entry.answer]];
  const chosenWhole = entry.type === 'choice' && !entry.answerCut;
  if (chosenWhole && entry.rejectedAnswer !== null) found.push([entry.answer, entry.rejectedAnswer]);
  return found;
}

function preference(entry: ReviewedFeedback, chosen: string, rejected: string): CuratedRow {
  const { feedbackId, userId, conversationId, prompt } = entry;
  const about = { origin: 'feedback', feedbackId, userId, conversationId, prompt } as const;
  return { ...about, kind: 'preference', chosen, rejected, label: null };
}
