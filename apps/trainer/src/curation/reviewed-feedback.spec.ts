import type { FeedbackWithReview } from '@attune/persistence';
import { describe, expect, it } from 'vitest';
import { toReviewedFeedback } from './reviewed-feedback.js';

const about = (completion: { status: string; stopReason: string | null }) =>
  ({
    feedback: {
      id: 'fb_1',
      completion: { ...completion, messages: [], citations: [], answer: 'Paris', conversationId: 'conv_1' },
      rejectedCompletion: null,
    },
    review: null,
  }) as unknown as FeedbackWithReview;

describe('reviewed feedback', () => {
  it.each([
    ['done', 'stop', false],
    ['done', 'length', true],
    ['cancelled', 'cancelled', true],
    ['lost', null, true],
  ])('knows of an answer that is %s with reason %s whether it was cut: %s', (status, stopReason, cut) => {
    expect(toReviewedFeedback(about({ status, stopReason })).answerCut).toBe(cut);
  });
});
