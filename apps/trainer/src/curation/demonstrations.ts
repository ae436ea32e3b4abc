import type { CuratedRow, ReviewedFeedback } from './curated-row.js';

/**
 * Feedback that shows an answer to imitate: a reviewer's wording, a user's correction, or an answer that a person
 * liked, a reviewer approved and nothing cut short. A bare choice only says which of two answers is better, so it shows none.
 */
export function toDemonstrations(feedback: readonly ReviewedFeedback[]): CuratedRow[] {
  return feedback.flatMap((entry) => {
    const answer = answerToImitate(entry);
    return answer === null ? [] : [demonstration(entry, answer)];
  });
}

function answerToImitate(entry: ReviewedFeedback): string | null {
  if (entry.editedText !== null) return entry.editedText;
  if (entry.type === 'correction') return entry.text;
  return entry.type === 'thumb' && entry.value === 'up' && !entry.answerCut ? entry.answer : null;
}

function demonstration({ feedbackId, userId, conversationId, prompt }: ReviewedFeedback, chosen: string): CuratedRow {
  const about = { origin: 'feedback', feedbackId, userId, conversationId, prompt } as const;
  return { ...about, kind: 'demonstration', chosen, rejected: null, label: null };
}
