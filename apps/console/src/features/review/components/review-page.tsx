import { Badge, Button, Group, Text } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconChecks, IconKeyboard } from '@tabler/icons-react';
import { useState } from 'react';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { KeyHelp } from '../../../components/ui/key-help.js';
import { PageHeader } from '../../../components/ui/page-header.js';
import { Page } from '../../../components/ui/page.js';
import { QueryView } from '../../../components/ui/query-view.js';
import { useReview } from '../use-review.js';
import { ReviewCard } from './review-card.js';
import { ReviewList } from './review-list.js';
import classes from './review.module.css';
import { VerdictBar } from './verdict-bar.js';

const keys = [
  { keys: ['A'], does: 'Approve' },
  { keys: ['E'], does: 'Edit, then approve' },
  { keys: ['Ctrl', 'Enter'], does: 'Save the edit' },
  { keys: ['Esc'], does: 'Leave the edit' },
  { keys: ['R'], does: 'Reject' },
  { keys: ['J'], does: 'Next' },
  { keys: ['K'], does: 'Previous' },
  { keys: ['?'], does: 'This help' },
] as const;

export function ReviewPage() {
  const review = useReview();
  const [editingId, setEditingId] = useState<string | null>(null);
  const [helpOpened, help] = useDisclosure(false);
  const { current } = review;
  const editing = current !== undefined && editingId === current.feedback.id;
  const stopEditing = () => setEditingId(null);
  const actions = {
    approve: () => review.decide({ verdict: 'approve' }),
    edit: () => setEditingId(current?.feedback.id ?? null),
    reject: () => review.decide({ verdict: 'reject' }),
  };
  useHotkeys([
    ['A', () => !editing && actions.approve()],
    ['E', actions.edit],
    ['R', () => !editing && actions.reject()],
    ['J', () => review.move(1)],
    ['K', () => review.move(-1)],
    // Shift is part of typing it on most keyboards, not on all.
    ['?', help.open],
    ['shift+?', help.open],
  ]);
  const saveEdit = (text: string) => {
    review.decide({ verdict: 'edit', edited_text: text });
    stopEditing();
  };

  return (
    <Page width={1280}>
      <PageHeader
        title="Review"
        about="What people said about answers. What you approve becomes training data; nothing else does."
        actions={
          <>
            <Progress
              decided={review.numDecided}
              waiting={review.items.length}
              more={review.queue.data?.more ?? false}
            />
            <Button variant="default" size="xs" leftSection={<IconKeyboard size={16} />} onClick={help.open}>
              Keys
            </Button>
          </>
        }
      />
      <QueryView query={review.queue}>
        {() =>
          current === undefined ? (
            <EmptyState icon={<IconChecks size={24} />} title="Nothing waits for review">
              Corrections, choices and comments people give on the chat page arrive here by themselves.
            </EmptyState>
          ) : (
            <div className={classes.split}>
              <ReviewList items={review.items} index={review.index} onOpen={review.open} />
              <div className={classes.main}>
                <ReviewCard
                  key={current.feedback.id}
                  item={current}
                  editing={editing}
                  onSave={saveEdit}
                  onCancel={stopEditing}
                />
                {!editing && <VerdictBar {...actions} />}
              </div>
            </div>
          )
        }
      </QueryView>
      <KeyHelp opened={helpOpened} onClose={help.close} keys={keys} />
    </Page>
  );
}

function Progress({ decided, waiting, more }: { decided: number; waiting: number; more: boolean }) {
  return (
    <Group gap="xs" role="status" aria-label="Progress">
      <Text size="sm" c="dimmed">
        {decided} reviewed
      </Text>
      <Badge variant="light" size="lg" tt="none">
        {waiting}
        {more ? '+' : ''} waiting
      </Badge>
    </Group>
  );
}
