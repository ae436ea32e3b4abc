import type { CompletionView } from '@attune/contracts';
import { Button, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { plural } from '../../../lib/format.js';
import classes from './review.module.css';

/** As many of the last messages as are shown at first: usually the question alone. */
const NUM_SHOWN = 3;

const speakers: Record<string, string> = { user: 'Person', assistant: 'Model', system: 'System' };

/** The conversation up to the answer in question. */
export function Messages({ messages }: { messages: CompletionView['messages'] }) {
  const [all, { open }] = useDisclosure(false);
  const numHidden = all ? 0 : Math.max(0, messages.length - NUM_SHOWN);
  return (
    <Stack gap="sm" component="section" aria-label="Conversation">
      {numHidden > 0 && (
        <Button variant="subtle" size="compact-xs" color="gray" onClick={open} w="fit-content">
          Show {plural(numHidden, 'earlier message')}
        </Button>
      )}
      {messages.slice(numHidden).map((message, index) => (
        <div key={numHidden + index}>
          <Text size="xs" c="dimmed" fw={600}>
            {speakers[message.role] ?? message.role}
          </Text>
          <Text component="div" className={classes.message} size={message.role === 'system' ? 'sm' : 'md'}>
            {message.content}
          </Text>
        </div>
      ))}
    </Stack>
  );
}
