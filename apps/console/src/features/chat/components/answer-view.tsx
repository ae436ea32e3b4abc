import type { Feedback } from '@attune/contracts';
import { Stack } from '@mantine/core';
import { useState } from 'react';
import { isRunning, type Try } from '../thread.js';
import { AnswerBody } from './answer-body.js';
import { AnswerActions } from './answer-actions.js';
import { CommentForm } from './comment-form.js';
import { CorrectionForm } from './correction-form.js';
import { GivenFeedback } from './given-feedback.js';

export interface AnswerViewProps {
  answer: Try;
  /** Which try of how many. */
  position: { index: number; count: number };
  onShow: (index: number) => void;
  onTryAgain: () => void;
  onFeedback: (feedback: Feedback) => void;
}

/** What is open below the answer. */
export type AnswerForm = 'none' | 'comment' | 'correction';

export function AnswerView({ answer, position, onShow, onTryAgain, onFeedback }: AnswerViewProps) {
  const [form, setForm] = useState<AnswerForm>('none');
  const close = () => setForm('none');
  const record = (feedback: Feedback) => {
    onFeedback(feedback);
    close();
  };
  return (
    <Stack gap="xs" component="article" aria-label="Answer" aria-busy={isRunning(answer.status)}>
      <AnswerBody answer={answer} />
      {!isRunning(answer.status) && (
        <AnswerActions
          answer={answer}
          position={position}
          onShow={onShow}
          onTryAgain={onTryAgain}
          onFeedback={onFeedback}
          onOpen={setForm}
        />
      )}
      {form === 'comment' && <CommentForm completionId={answer.completionId!} onDone={record} onCancel={close} />}
      {form === 'correction' && <CorrectionForm answer={answer} onDone={record} onCancel={close} />}
      <GivenFeedback feedback={answer.feedback} />
    </Stack>
  );
}
