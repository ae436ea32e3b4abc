import type { CheckpointStatus, CheckpointView } from '@attune/contracts';
import { Accordion, Anchor, Badge, Group, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { ConfirmButton } from '../../../components/ui/confirm-button.js';
import { Weights } from '../../../components/ui/weights.js';
import { formatAgo, formatNumber, words } from '../../../lib/format.js';
import { GateView } from './gate-view.js';

const statusColors: Record<CheckpointStatus, string> = {
  live: 'teal',
  candidate: 'blue',
  rejected: 'red',
  retired: 'gray',
};

export interface CheckpointItemProps {
  checkpoint: CheckpointView;
  /** Null when it is live already or the gate forbids it. */
  onPutLive: (() => void) | null;
}

export function CheckpointItem({ checkpoint, onPutLive }: CheckpointItemProps) {
  const isBase = checkpoint.id === 'base';
  return (
    <Accordion.Item value={checkpoint.id} aria-label={isBase ? 'Base model' : checkpoint.id}>
      <Accordion.Control>
        <Group gap="sm">
          <Badge color={statusColors[checkpoint.status]} variant="light" tt="none">
            {checkpoint.status}
          </Badge>
          <Text fw={500}>{isBase ? 'Base model' : checkpoint.id}</Text>
          <Text size="sm" c="dimmed">
            {isBase ? 'as it was loaded' : formatAgo(checkpoint.created)}
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack>
          <Group justify="space-between" align="flex-start">
            <Group gap="lg">
              <Fact name="Weights">
                <Weights digest={checkpoint.weights_digest} />
              </Fact>
              {checkpoint.parent_id !== null && <Fact name="Made from">{checkpoint.parent_id}</Fact>}
              {checkpoint.job_id !== null && (
                <Fact name="By">
                  <Anchor component={Link} to={`/console/tuning/${checkpoint.job_id}`} size="sm">
                    {checkpoint.job_id}
                  </Anchor>
                </Fact>
              )}
            </Group>
            {onPutLive && (
              <ConfirmButton
                label="Put live"
                name={`Put ${isBase ? 'the base model' : checkpoint.id} live`}
                question="The next answers come from these weights. Answers that are running finish on theirs."
                onConfirm={onPutLive}
                size="xs"
              />
            )}
          </Group>
          <Metrics metrics={checkpoint.metrics} />
          {checkpoint.gate_report && <GateView report={checkpoint.gate_report} />}
          {!checkpoint.gate_report && !isBase && (
            <Text size="sm" c="dimmed">
              The gate has not judged it; it cannot go live.
            </Text>
          )}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Metrics({ metrics }: { metrics: Record<string, number> }) {
  const entries = Object.entries(metrics);
  if (entries.length === 0) return null;
  return (
    <Group gap="xl">
      {entries.map(([name, value]) => (
        <Fact key={name} name={words(name)}>
          {formatNumber(value)}
        </Fact>
      ))}
    </Group>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="div" size="sm">
        {children}
      </Text>
    </div>
  );
}
