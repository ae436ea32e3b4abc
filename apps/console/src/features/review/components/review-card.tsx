import type { ReviewItem } from '@attune/contracts';
import { Badge, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { DiffView } from '../../../components/ui/diff-view.js';
import { Weights } from '../../../components/ui/weights.js';
import { formatTime } from '../../../lib/format.js';
import { feedbackTitle } from '../feedback-title.js';
import { EditForm } from './edit-form.js';
import { Messages } from './messages.js';
import classes from './review.module.css';

export interface ReviewCardProps {
  item: ReviewItem;
  editing: boolean;
  onSave: (text: string) => void;
  onCancel: () => void;
}

/** One piece of feedback with everything needed to judge it. */
export function ReviewCard({ item, editing, onSave, onCancel }: ReviewCardProps) {
  const { feedback, completion } = item;
  return (
    <Stack component="article" aria-label={feedbackTitle(feedback)}>
      <Group justify="space-between">
        <Group gap="xs">
          <Badge variant="light" tt="none" size="lg">
            {feedbackTitle(feedback)}
          </Badge>
          <Text size="xs" c="dimmed">
            {formatTime(feedback.created)}
          </Text>
        </Group>
        {completion.weights_digest !== null && <Weights digest={completion.weights_digest} />}
      </Group>
      <Messages messages={completion.messages} />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Panels item={item} editing={editing} onSave={onSave} onCancel={onCancel} />
      </SimpleGrid>
      {feedback.comment !== null && feedback.type !== 'comment' && (
        <Text size="sm">
          <Text span c="dimmed">
            Comment:{' '}
          </Text>
          {feedback.comment}
        </Text>
      )}
    </Stack>
  );
}

function Panels({ item, editing, onSave, onCancel }: ReviewCardProps) {
  const { feedback, completion, rejected_completion: rejected } = item;
  const corrected = item.edited_text ?? feedback.text;
  if (editing) {
    return (
      <>
        <Panel title="The answer">
          <Plain>{completion.answer}</Plain>
        </Panel>
        <EditForm initial={corrected ?? completion.answer} onSave={onSave} onCancel={onCancel} />
      </>
    );
  }
  if (feedback.type === 'choice' && rejected !== null) {
    return (
      <>
        <Panel title="Chosen" good>
          <Plain>{completion.answer}</Plain>
        </Panel>
        <Panel title="Not chosen">
          <Plain>{rejected.answer}</Plain>
        </Panel>
      </>
    );
  }
  if (corrected !== null) {
    return (
      <>
        <Panel title="The answer">
          <DiffView before={completion.answer} after={corrected} side="before" />
        </Panel>
        <Panel title="The correction" good>
          <DiffView before={completion.answer} after={corrected} side="after" />
        </Panel>
      </>
    );
  }
  return (
    <>
      <Panel title="The answer">
        <Plain>{completion.answer}</Plain>
      </Panel>
      <Panel title={feedbackTitle(feedback)}>
        <Plain>{feedback.comment ?? 'Given without words.'}</Plain>
      </Panel>
    </>
  );
}

/** `good` marks what would be learned. */
function Panel({ title, good, children }: { title: string; good?: boolean; children: ReactNode }) {
  return (
    <section className={classes.panel} data-good={good} aria-label={title}>
      <Text size="xs" fw={600} c={good ? 'teal' : 'dimmed'} mb={6}>
        {title}
      </Text>
      {children}
    </section>
  );
}

function Plain({ children }: { children: string }) {
  return <div className={classes.message}>{children}</div>;
}
