import type { Citation } from '@attune/contracts';
import { Badge, Blockquote, Group, Popover, Text, UnstyledButton } from '@mantine/core';
import { IconFileText } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { formatNumber } from '../../../lib/format.js';

/** The passages an answer was grounded in, each a chip that opens its quote. */
export function Citations({ citations }: { citations: Citation[] }) {
  if (citations.length === 0) return null;
  return (
    <Group gap={6} role="group" aria-label="Sources">
      {citations.map((citation) => (
        <Quote key={citation.passage_id} citation={citation}>
          <Badge
            component="span"
            variant="light"
            tt="none"
            fw={500}
            leftSection={<IconFileText size={12} />}
            style={{ cursor: 'pointer' }}
          >
            {citation.index} · {citation.filename}
          </Badge>
        </Quote>
      ))}
    </Group>
  );
}

/** `[2]` within the answer. */
export function ReferenceMark({ citation }: { citation: Citation }) {
  return (
    <Quote citation={citation}>
      <Badge component="span" size="xs" variant="light" px={5} style={{ verticalAlign: 'super', cursor: 'pointer' }}>
        {citation.index}
      </Badge>
    </Quote>
  );
}

function Quote({ citation, children }: { citation: Citation; children: ReactNode }) {
  return (
    <Popover width={380} position="bottom-start" shadow="md" withArrow>
      <Popover.Target>
        <UnstyledButton component="button" aria-label={`Source ${citation.index}: ${citation.filename}`} lh={1}>
          {children}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Group justify="space-between" wrap="nowrap" mb={6}>
          <Text size="sm" fw={600} truncate>
            {citation.filename}
          </Text>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
            score {formatNumber(citation.score)}
          </Text>
        </Group>
        <Blockquote p="xs" m={0} fz="sm" style={{ whiteSpace: 'pre-wrap', maxHeight: 260, overflowY: 'auto' }}>
          {citation.quote}
        </Blockquote>
      </Popover.Dropdown>
    </Popover>
  );
}
