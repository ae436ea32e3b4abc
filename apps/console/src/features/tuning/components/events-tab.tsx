import type { TuningEventView } from '@attune/contracts';
import { Group, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { QueryView } from '../../../components/ui/query-view.js';
import { formatTime } from '../../../lib/format.js';
import { eventsQuery } from '../api/jobs.js';
import classes from './tuning.module.css';

const levelColors: Record<TuningEventView['level'], string | undefined> = {
  info: undefined,
  warn: 'orange',
  error: 'red',
};

/** What the trainer said, newest first. */
export function EventsTab({ jobId, active }: { jobId: string; active: boolean }) {
  const events = useQuery(eventsQuery(useQueryClient(), jobId, active));
  return (
    <QueryView query={events}>
      {(all) => (
        <Stack gap={6} role="log" aria-label="Events">
          {all.length === 0 && (
            <Text c="dimmed" size="sm">
              Nothing has happened yet.
            </Text>
          )}
          {all.toReversed().map((event) => (
            <Group key={event.seq} gap="sm" wrap="nowrap" align="baseline">
              <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                {formatTime(event.created)}
              </Text>
              <Text size="sm" c={levelColors[event.level]} className={classes.text}>
                {event.message}
              </Text>
            </Group>
          ))}
        </Stack>
      )}
    </QueryView>
  );
}
