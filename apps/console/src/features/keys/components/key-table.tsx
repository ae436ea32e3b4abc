import type { ApiKeyView } from '@attune/contracts';
import { Badge, Code, Table, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ConfirmButton } from '../../../components/ui/confirm-button.js';
import { notifyError } from '../../../components/ui/notify.js';
import { formatAgo } from '../../../lib/format.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { revokeKey } from '../api/accounts.js';

export function KeyTable({ keys }: { keys: ApiKeyView[] }) {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: revokeKey,
    onError: notifyError,
    onSettled: () => queryClient.invalidateQueries({ queryKey: queryKeys.keys }),
  });
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table aria-label="API keys" verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>User</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>Key</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => (
            <Row key={key.id} apiKey={key} onRevoke={() => revoke.mutate(key.id)} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ apiKey, onRevoke }: { apiKey: ApiKeyView; onRevoke: () => void }) {
  const revoked = apiKey.revoked !== null;
  return (
    <Table.Tr opacity={revoked ? 0.55 : 1}>
      <Table.Td>{apiKey.user_name}</Table.Td>
      <Table.Td>
        <Badge variant="light" tt="none">
          {apiKey.role}
        </Badge>
      </Table.Td>
      <Table.Td>
        <Text size="sm" fw={500}>
          {apiKey.name}
        </Text>
        <Code>{apiKey.prefix}…</Code>
      </Table.Td>
      <Table.Td>{formatAgo(apiKey.created)}</Table.Td>
      <Table.Td>{apiKey.last_used === null ? 'never' : formatAgo(apiKey.last_used)}</Table.Td>
      <Table.Td ta="right">
        {revoked ? (
          <Text size="sm" c="dimmed">
            revoked {formatAgo(apiKey.revoked!)}
          </Text>
        ) : (
          <ConfirmButton
            label="Revoke"
            name={`Revoke ${apiKey.name}`}
            question={`“${apiKey.name}” of ${apiKey.user_name} stops working at once. This cannot be undone.`}
            onConfirm={onRevoke}
            size="compact-xs"
            variant="subtle"
            color="red"
          />
        )}
      </Table.Td>
    </Table.Tr>
  );
}
