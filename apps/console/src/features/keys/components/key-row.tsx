import type { ApiKeyView } from '@attune/contracts';
import { Badge, Button, Code, Group, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { ConfirmButton } from '../../../components/ui/confirm-button.js';
import { formatAgo } from '../../../lib/format.js';
import type { DayOfUse } from '../use-by-day.js';
import { LimitsDialog } from './limits-dialog.js';
import { LimitsText } from './limits-text.js';
import { UseSparkline } from './use-sparkline.js';

export interface KeyRowProps {
  apiKey: ApiKeyView;
  days: DayOfUse[];
  onRevoke: () => void;
}

export function KeyRow({ apiKey, days, onRevoke }: KeyRowProps) {
  return (
    <Table.Tr opacity={apiKey.revoked === null ? 1 : 0.55}>
      <Table.Td>{apiKey.user_name}</Table.Td>
      <Table.Td>
        <Badge variant="light" tt="none" miw="max-content">
          {apiKey.role}
        </Badge>
      </Table.Td>
      <Table.Td>
        <Text size="sm" fw={500}>
          {apiKey.name}
        </Text>
        <Code style={{ whiteSpace: 'nowrap' }}>{apiKey.prefix}…</Code>
      </Table.Td>
      <Table.Td>{formatAgo(apiKey.created)}</Table.Td>
      <Table.Td>{apiKey.last_used === null ? 'never' : formatAgo(apiKey.last_used)}</Table.Td>
      <Table.Td>
        <UseSparkline days={days} />
      </Table.Td>
      <Table.Td>
        <LimitsText apiKey={apiKey} />
      </Table.Td>
      <Table.Td ta="right">
        {apiKey.revoked === null ? (
          <Actions apiKey={apiKey} days={days} onRevoke={onRevoke} />
        ) : (
          <Text size="sm" c="dimmed">
            revoked {formatAgo(apiKey.revoked)}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Actions({ apiKey, days, onRevoke }: KeyRowProps) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      <Button size="compact-xs" variant="subtle" onClick={open} aria-label={`Use and limits of ${apiKey.name}`}>
        Limits
      </Button>
      {opened && <LimitsDialog apiKey={apiKey} days={days} onClose={close} />}
      <ConfirmButton
        label="Revoke"
        name={`Revoke ${apiKey.name}`}
        question={`“${apiKey.name}” of ${apiKey.user_name} stops working at once. This cannot be undone.`}
        onConfirm={onRevoke}
        size="compact-xs"
        variant="subtle"
        color="red"
      />
    </Group>
  );
}
