import type { Feedback } from '@attune/contracts';
import { FeedbackForm } from './feedback-form.js';

export interface CommentFormProps {
  completionId: string;
  onDone: (feedback: Feedback) => void;
  onCancel: () => void;
}

export function CommentForm({ completionId, onDone, onCancel }: CommentFormProps) {
  return (
    <FeedbackForm
      label="Comment"
      description="What was good or wrong about this answer? Reviewers read it."
      initial=""
      submitLabel="Send comment"
      toRequest={(text) => ({ type: 'comment', completion_id: completionId, comment: text })}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}
