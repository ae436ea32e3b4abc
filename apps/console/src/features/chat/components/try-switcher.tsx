import { ActionIcon, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';

export interface TrySwitcherProps {
  index: number;
  count: number;
  onShow: (index: number) => void;
}

/** `‹ 2/3 ›` */
export function TrySwitcher({ index, count, onShow }: TrySwitcherProps) {
  return (
    <Group gap={0} mr={4} role="group" aria-label="Tries">
      <ActionIcon size="sm" aria-label="Previous try" disabled={index === 0} onClick={() => onShow(index - 1)}>
        <IconChevronLeft size={16} />
      </ActionIcon>
      <Text size="xs" c="dimmed" aria-live="polite" style={{ fontVariantNumeric: 'tabular-nums' }}>
        {index + 1}/{count}
      </Text>
      <ActionIcon size="sm" aria-label="Next try" disabled={index === count - 1} onClick={() => onShow(index + 1)}>
        <IconChevronRight size={16} />
      </ActionIcon>
    </Group>
  );
}
