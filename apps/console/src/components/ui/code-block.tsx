import { Box, Code } from '@mantine/core';
import { CopyIcon } from './copy-icon.js';

export function CodeBlock({ code, language }: { code: string; language: string }) {
  return (
    <Box pos="relative">
      <Code block pr={40} aria-label={language === '' ? 'Code' : `Code, ${language}`}>
        {code}
      </Code>
      <Box pos="absolute" top={6} right={6}>
        <CopyIcon text={code} name="Copy code" />
      </Box>
    </Box>
  );
}
