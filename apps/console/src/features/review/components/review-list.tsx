import type { ReviewItem } from '@attune/contracts';
import { Text, UnstyledButton } from '@mantine/core';
import { formatAgo } from '../../../lib/format.js';
import { feedbackTitle } from '../feedback-title.js';
import classes from './review.module.css';

export interface ReviewListProps {
  items: ReviewItem[];
  index: number;
  onOpen: (index: number) => void;
}

/** The queue at a glance. */
export function ReviewList({ items, index, onOpen }: ReviewListProps) {
  return (
    <nav className={classes.list} aria-label="Queue">
      {items.map((item, at) => (
        <UnstyledButton
          key={item.feedback.id}
          className={classes.entry}
          aria-current={at === index ? 'true' : undefined}
          onClick={() => onOpen(at)}
        >
          <Text size="sm" fw={500}>
            {feedbackTitle(item.feedback)}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {question(item)}
          </Text>
          <Text size="xs" c="dimmed">
            {formatAgo(item.feedback.created)}
          </Text>
        </UnstyledButton>
      ))}
    </nav>
  );
}

function question(item: ReviewItem): string {
  return item.completion.messages.findLast((message) => message.role === 'user')?.content ?? '';
}
