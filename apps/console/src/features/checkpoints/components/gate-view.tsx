import type { GateReport } from '@attune/contracts';
import { Alert, Badge, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { formatNumber, words } from '../../../lib/format.js';
import { SuiteView } from './suite-view.js';

/** What the gate measured and why it opened or did not. */
export function GateView({ report }: { report: GateReport }) {
  return (
    <Stack gap="lg">
      <Alert
        color={report.passed ? 'teal' : 'red'}
        icon={report.passed ? <IconCheck /> : <IconX />}
        title={report.passed ? 'The gate let it pass' : 'The gate stopped it'}
      />
      <Checks checks={report.checks} />
      {report.suite.length > 0 && <SuiteView suite={report.suite} />}
      {report.samples.length > 0 && <Samples samples={report.samples} />}
    </Stack>
  );
}

function Checks({ checks }: Pick<GateReport, 'checks'>) {
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table aria-label="Checks of the gate" verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Check</Table.Th>
            <Table.Th ta="right">Candidate</Table.Th>
            <Table.Th ta="right">Live then</Table.Th>
            <Table.Th>Bound</Table.Th>
            <Table.Th>Verdict</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {checks.map((check) => (
            <Table.Tr key={check.name}>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>{words(check.name)}</Table.Td>
              <Table.Td ta="right">{formatNumber(check.candidate)}</Table.Td>
              <Table.Td ta="right">{check.live === null ? '–' : formatNumber(check.live)}</Table.Td>
              <Table.Td style={{ whiteSpace: 'nowrap' }}>{check.bound}</Table.Td>
              <Table.Td>
                <Badge color={check.passed ? 'teal' : 'red'} variant="light" tt="none" mr="xs">
                  {check.passed ? 'pass' : 'fail'}
                </Badge>
                <Text span size="sm" c="dimmed">
                  {check.reason}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Samples({ samples }: Pick<GateReport, 'samples'>) {
  return (
    <Stack gap="md" component="section" aria-label="Before and after">
      <Text size="sm" fw={600}>
        Before and after, on prompts it was not trained on
      </Text>
      {samples.map((sample, index) => (
        <div key={index}>
          <Text size="sm" mb={6} style={{ whiteSpace: 'pre-wrap' }}>
            {sample.prompt}
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs">
            <Answer title="Before" text={sample.live} />
            <Answer title="After" text={sample.candidate} />
          </SimpleGrid>
        </div>
      ))}
    </Stack>
  );
}

function Answer({ title, text }: { title: string; text: string }) {
  return (
    <div style={{ border: '1px solid var(--attune-line)', borderRadius: 10, padding: '8px 12px' }}>
      <Text size="xs" c="dimmed">
        {title}
      </Text>
      <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {text}
      </Text>
    </div>
  );
}
