import { Button, Group, Text, Textarea } from '@mantine/core';
import { getHotkeyHandler } from '@mantine/hooks';
import { useState } from 'react';

export interface EditFormProps {
  initial: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}

/** The answer as the reviewer would have it learned. */
export function EditForm({ initial, onSave, onCancel }: EditFormProps) {
  const [text, setText] = useState(initial);
  const save = () => text.trim() !== '' && onSave(text.trim());
  return (
    <div>
      <Textarea
        label="The answer to learn"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={getHotkeyHandler([
          ['mod+Enter', save],
          ['Escape', onCancel],
        ])}
        autosize
        minRows={5}
        maxRows={24}
        autoFocus
      />
      <Group gap="xs" mt="xs">
        <Button size="xs" onClick={save} disabled={text.trim() === ''}>
          Save and approve
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={onCancel}>
          Cancel
        </Button>
        <Text size="xs" c="dimmed">
          Ctrl+Enter saves
        </Text>
      </Group>
    </div>
  );
}
