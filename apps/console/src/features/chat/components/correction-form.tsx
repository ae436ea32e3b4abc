import type { Feedback } from '@attune/contracts';
import type { Try } from '../thread.js';
import { FeedbackForm } from './feedback-form.js';

export interface CorrectionFormProps {
  answer: Try;
  onDone: (feedback: Feedback) => void;
  onCancel: () => void;
}

export function CorrectionForm({ answer, onDone, onCancel }: CorrectionFormProps) {
  return (
    <FeedbackForm
      label="Corrected answer"
      description="Write the answer as it should have been. Once a reviewer approves it, the model learns it."
      initial={answer.answer}
      submitLabel="Save correction"
      unchanged={answer.answer}
      toRequest={(text) => ({ type: 'correction', completion_id: answer.completionId!, text })}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}
