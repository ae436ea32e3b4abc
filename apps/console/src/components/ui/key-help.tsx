import { Group, Kbd, Modal, Stack, Text } from '@mantine/core';

export interface KeyHelpProps {
  opened: boolean;
  onClose: () => void;
  keys: readonly { keys: readonly string[]; does: string }[];
}

/** What can be done without a mouse. */
export function KeyHelp({ opened, onClose, keys }: KeyHelpProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>Keyboard</Text>} size="sm">
      <Stack gap="xs">
        {keys.map((row) => (
          <Group key={row.does} justify="space-between" wrap="nowrap">
            <Text size="sm">{row.does}</Text>
            <Group gap={4} wrap="nowrap">
              {row.keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </Group>
          </Group>
        ))}
      </Stack>
    </Modal>
  );
}
