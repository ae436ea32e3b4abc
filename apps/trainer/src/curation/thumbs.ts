import type { CuratedRow, ReviewedFeedback } from './curated-row.js';

/**
 * Approved thumbs as unpaired judgements of one answer. A liked answer that was cut is left out (liking half an answer
 * is no reason to stop there), and so is one a reviewer rewrote although it was liked: the two disagree.
 */
export function toThumbs(feedback: readonly ReviewedFeedback[]): CuratedRow[] {
  return feedback.flatMap((entry) => {
    const liked = entry.value === 'up';
    if (entry.type !== 'thumb' || entry.value === null) return [];
    return liked && (entry.answerCut || entry.editedText !== null) ? [] : [thumb(entry, liked)];
  });
}

function thumb(entry: ReviewedFeedback, label: boolean): CuratedRow {
  const { feedbackId, userId, conversationId, prompt, answer } = entry;
  const about = { origin: 'feedback', feedbackId, userId, conversationId, prompt } as const;
  return { ...about, kind: 'thumb', chosen: answer, rejected: null, label };
}
