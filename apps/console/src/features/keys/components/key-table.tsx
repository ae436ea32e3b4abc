import type { ApiKeyView, KeyUsageView } from '@attune/contracts';
import { Table } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { notifyError } from '../../../components/ui/notify.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { revokeKey } from '../api/accounts.js';
import { DAYS_SHOWN } from '../api/use.js';
import { useByDay } from '../use-by-day.js';
import { KeyRow } from './key-row.js';

export interface KeyTableProps {
  keys: ApiKeyView[];
  use: KeyUsageView[];
}

export function KeyTable({ keys, use }: KeyTableProps) {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: revokeKey,
    onError: notifyError,
    onSettled: () => queryClient.invalidateQueries({ queryKey: queryKeys.keys }),
  });
  return (
    <Table.ScrollContainer minWidth={860}>
      <Table aria-label="API keys" verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>User</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>Key</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th>Last used</Table.Th>
            <Table.Th>Used in {DAYS_SHOWN} days</Table.Th>
            <Table.Th>Limits</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map((key) => (
            <KeyRow
              key={key.id}
              apiKey={key}
              days={useByDay(use, key.id, DAYS_SHOWN)}
              onRevoke={() => revoke.mutate(key.id)}
            />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
