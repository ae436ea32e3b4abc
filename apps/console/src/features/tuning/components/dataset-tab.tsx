import type { DatasetRowView } from '@attune/contracts';
import { Accordion, Badge, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { QueryView } from '../../../components/ui/query-view.js';
import { plural } from '../../../lib/format.js';
import { rowsQuery } from '../api/jobs.js';
import { FeedbackLineage } from './feedback-lineage.js';
import classes from './tuning.module.css';

const filters = [
  { value: 'all', label: 'All' },
  { value: 'demonstration', label: 'Demonstrations' },
  { value: 'preference', label: 'Preferences' },
  { value: 'thumb', label: 'Thumbs' },
  { value: 'graded', label: 'Graded' },
];

/** Every row the job learned from or was measured on, with the feedback it came from. */
export function DatasetTab({ jobId }: { jobId: string }) {
  const rows = useQuery(rowsQuery(jobId));
  const [filter, setFilter] = useState('all');
  const [openRow, setOpenRow] = useState<string | null>(null);
  return (
    <QueryView query={rows}>
      {(all) => {
        const shown = filter === 'all' ? all : all.filter((row) => row.kind === filter);
        return (
          <Stack gap="sm">
            <Group justify="space-between">
              <SegmentedControl
                size="xs"
                data={filters}
                value={filter}
                onChange={setFilter}
                aria-label="Kind of rows"
              />
              <Text size="sm" c="dimmed">
                {plural(shown.length, 'row')}, {shown.filter((row) => row.split === 'heldout').length} held out
              </Text>
            </Group>
            <Accordion variant="separated" radius="md" chevronPosition="left" value={openRow} onChange={setOpenRow}>
              {shown.map((row) => (
                <Row key={row.id} row={row} open={row.id === openRow} />
              ))}
            </Accordion>
          </Stack>
        );
      }}
    </QueryView>
  );
}

/** `open`: only then is its lineage asked for. */
function Row({ row, open }: { row: DatasetRowView; open: boolean }) {
  return (
    <Accordion.Item value={row.id}>
      <Accordion.Control>
        <Group gap="xs" wrap="nowrap">
          <Badge size="sm" variant="light" tt="none" miw={110}>
            {row.kind}
          </Badge>
          {row.split === 'heldout' && (
            <Badge size="sm" variant="light" color="orange" tt="none" miw={76}>
              held out
            </Badge>
          )}
          <Text size="sm" truncate>
            {row.prompt.findLast((message) => message.role === 'user')?.content}
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap="xs">
          {row.prompt.map((message, index) => (
            <Field key={index} name={message.role} text={message.content} />
          ))}
          {row.item === null ? (
            <Field name={answerName(row)} text={row.chosen} />
          ) : (
            <Field name="read by the grader" text={JSON.stringify(row.item, null, 2)} />
          )}
          {row.rejected !== null && <Field name="rejected" text={row.rejected} />}
          {open && row.feedback_id !== null && <FeedbackLineage feedbackId={row.feedback_id} />}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function answerName({ kind, label }: DatasetRowView): string {
  if (kind === 'preference') return 'chosen';
  if (kind === 'demonstration') return 'answer to learn';
  return label ? 'liked' : 'not liked';
}

function Field({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed" fw={600}>
        {name}
      </Text>
      <Text size="sm" className={classes.text}>
        {text}
      </Text>
    </div>
  );
}
