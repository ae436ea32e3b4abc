import type { Feedback } from '@attune/contracts';

export function feedbackTitle(feedback: Feedback): string {
  switch (feedback.type) {
    case 'correction':
      return 'Correction';
    case 'choice':
      return 'Choice of two answers';
    case 'comment':
      return 'Comment';
    case 'thumb':
      return feedback.value === 'up' ? 'Thumb up' : 'Thumb down';
  }
}
