import type { CuratedRow, ReviewedFeedback } from './curated-row.js';

/** A liked answer, with what a spec wants to say about it. */
export function reviewed(overrides: Partial<ReviewedFeedback> = {}): ReviewedFeedback {
  return {
    feedbackId: 'fb_1',
    type: 'thumb',
    value: 'up',
    text: null,
    editedText: null,
    userId: 'user_1',
    conversationId: 'conv_1',
    prompt: [{ role: 'user', content: 'What is the capital of France?' }],
    answer: 'Paris.',
    rejectedAnswer: null,
    ...overrides,
  };
}

/** A demonstration row, with what a spec wants to say about it. */
export function row(overrides: Partial<CuratedRow> = {}): CuratedRow {
  const { feedbackId, userId, conversationId, prompt, answer } = reviewed();
  return {
    kind: 'demonstration',
    origin: 'feedback',
    feedbackId,
    userId,
    conversationId,
    prompt,
    chosen: answer,
    rejected: null,
    label: null,
    ...overrides,
  };
}
