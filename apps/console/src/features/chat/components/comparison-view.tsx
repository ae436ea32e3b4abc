import { Button, Group, SimpleGrid, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Weights } from '../../../components/ui/weights.js';
import { notifyError } from '../../../components/ui/notify.js';
import { isRunning, type Turn } from '../thread.js';
import { useChatActions } from '../use-chat-actions.js';
import { AnswerBody } from './answer-body.js';
import classes from './chat.module.css';

/** Two answers side by side until one is chosen. */
export function ComparisonView({ conversationId, turn }: { conversationId: string; turn: Turn }) {
  const actions = useChatActions();
  const choose = useMutation({
    mutationFn: (chosen: number) => actions.choose(conversationId, turn, chosen),
    onError: notifyError,
  });
  const ready = turn.tries.every((one) => one.status === 'done' && one.completionId !== null);
  const ended = turn.tries.every((one) => !isRunning(one.status));
  return (
    <div data-comparing role="group" aria-label="Two answers to compare">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        {turn.tries.map((one, index) => (
          <article
            key={one.key}
            className={classes.choice}
            aria-label={`Answer ${index + 1}`}
            aria-busy={isRunning(one.status)}
          >
            <div style={{ flex: 1 }}>
              <AnswerBody answer={one} />
            </div>
            <Group justify="space-between">
              <Button
                size="xs"
                variant="light"
                disabled={!ready}
                loading={choose.isPending && choose.variables === index}
                onClick={() => choose.mutate(index)}
              >
                Choose answer {index + 1}
              </Button>
              {one.fingerprint !== null && <Weights digest={one.fingerprint} />}
            </Group>
          </article>
        ))}
      </SimpleGrid>
      <Group justify="center" mt="xs" gap="xs">
        <Text size="xs" c="dimmed">
          Which one is better?
        </Text>
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          disabled={!ended}
          onClick={() => actions.keepBoth(conversationId, turn)}
        >
          Neither: go on
        </Button>
      </Group>
    </div>
  );
}
