import { Box, Group, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

export interface PageHeaderProps {
  title: string;
  /** What the page is for, in a sentence. */
  about: ReactNode;
  /** Buttons at the right. */
  actions?: ReactNode;
}

export function PageHeader({ title, about, actions }: PageHeaderProps) {
  return (
    <Group justify="space-between" align="flex-start" mb="lg" wrap="wrap">
      <Box maw={640} flex="1 1 320px">
        <Title order={1}>{title}</Title>
        <Text c="dimmed" size="sm" mt={4}>
          {about}
        </Text>
      </Box>
      {actions && <Group gap="sm">{actions}</Group>}
    </Group>
  );
}
