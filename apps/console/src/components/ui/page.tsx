import { Box } from '@mantine/core';
import type { ReactNode } from 'react';

/** A console page: scrolls by itself, text no wider than can be read. */
export function Page({ children, width = 1080 }: { children: ReactNode; width?: number }) {
  return (
    <Box h="100%" style={{ overflowY: 'auto' }} px={{ base: 'md', sm: 'xl' }} py="xl">
      <Box maw={width} mx="auto">
        {children}
      </Box>
    </Box>
  );
}
