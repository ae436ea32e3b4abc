import { Alert, Loader, Text } from '@mantine/core';
import { useCallback } from 'react';
import { MarkdownText } from '../../../components/ui/markdown-text.js';
import type { Try } from '../thread.js';
import classes from './chat.module.css';
import { Citations, ReferenceMark } from './citations.js';

/** The answer's text, its sources, and why it is short if it is. */
export function AnswerBody({ answer }: { answer: Try }) {
  const { citations } = answer;
  const renderReference = useCallback(
    (number: number) => {
      const citation = citations.find((one) => one.index === number);
      return citation ? <ReferenceMark citation={citation} /> : null;
    },
    [citations],
  );
  return (
    <>
      {answer.status === 'waiting' && <Loader type="dots" size="sm" aria-label="Waiting for the answer" />}
      {answer.answer !== '' && (
        <div className={answer.status === 'streaming' ? classes.caret : undefined} data-testid="answer-text">
          <MarkdownText text={answer.answer} renderReference={renderReference} />
        </div>
      )}
      <Citations citations={citations} />
      <Ending answer={answer} />
    </>
  );
}

function Ending({ answer }: { answer: Try }) {
  if (answer.status === 'failed') {
    return (
      <Alert color="red" role="alert" title="No complete answer">
        {answer.error ?? 'Something went wrong while this was being answered. Try again.'}
      </Alert>
    );
  }
  const note = endingNote(answer);
  return note === null ? null : (
    <Text size="xs" c="dimmed" role="status">
      {note}
    </Text>
  );
}

function endingNote(answer: Try): string | null {
  if (answer.status === 'elsewhere') return 'Being answered on another page…';
  if (answer.status === 'cancelled') return answer.answer === '' ? 'Stopped before it began.' : 'Stopped.';
  if (answer.status === 'done' && answer.stopReason === 'length') return 'Cut off: the token limit was reached.';
  if (answer.status === 'done' && answer.answer === '') return 'The model answered with nothing.';
  return null;
}
