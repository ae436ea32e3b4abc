import type { Feedback, ReviewStatus } from '@attune/contracts';
import { Text } from '@mantine/core';
import classes from './chat.module.css';

const statusWords: Record<ReviewStatus, string> = {
  pending: 'waiting for review',
  approved: 'approved: the model will learn from it',
  rejected: 'not taken over by the reviewers',
};

/** What the reader has said about the answer in words; thumbs show on their buttons. */
export function GivenFeedback({ feedback }: { feedback: Feedback[] }) {
  return (
    <>
      {feedback.map((entry) => {
        const words = feedbackWords(entry);
        return (
          words && (
            <div key={entry.id}>
              {words.text !== null && <div className={classes.correction}>{words.text}</div>}
              <Text size="xs" c="dimmed" mt={4}>
                {words.title} · {statusWords[entry.status]}
              </Text>
            </div>
          )
        );
      })}
    </>
  );
}

function feedbackWords(entry: Feedback): { title: string; text: string | null } | null {
  switch (entry.type) {
    case 'thumb':
      return null;
    case 'correction':
      return { title: 'Your correction', text: entry.text };
    case 'comment':
      return { title: 'Your comment', text: entry.comment };
    case 'choice':
      return { title: 'Your choice of two', text: null };
  }
}
