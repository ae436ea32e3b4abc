import type { GateReport } from '@attune/contracts';
import { Stack, Table, Text } from '@mantine/core';
import { formatPercent } from '../../../lib/format.js';

/** Exact match by task family, the biggest falls first: that is where forgetting shows. */
export function SuiteView({ suite }: Pick<GateReport, 'suite'>) {
  const rows = suite.toSorted((a, b) => a.candidate - a.live - (b.candidate - b.live));
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        Task suite, exact match
      </Text>
      <div style={{ maxHeight: 320, overflowY: 'auto' }} tabIndex={0} role="region" aria-label="Task suite">
        <Table verticalSpacing={4} stickyHeader>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Family</Table.Th>
              <Table.Th ta="right">Live then</Table.Th>
              <Table.Th ta="right">Candidate</Table.Th>
              <Table.Th ta="right">Change</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.family}>
                <Table.Td>{row.family}</Table.Td>
                <Table.Td ta="right">{formatPercent(row.live)}</Table.Td>
                <Table.Td ta="right">{formatPercent(row.candidate)}</Table.Td>
                <Table.Td ta="right">
                  <Change by={row.candidate - row.live} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Stack>
  );
}

function Change({ by }: { by: number }) {
  if (by === 0)
    return (
      <Text span size="sm" c="dimmed">
        {'±0'}
      </Text>
    );
  return (
    <Text span size="sm" c={by > 0 ? 'teal' : 'red'}>
      {by > 0 ? '+' : '−'}
      {formatPercent(Math.abs(by))}
    </Text>
  );
}
