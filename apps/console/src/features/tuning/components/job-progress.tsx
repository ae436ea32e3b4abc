import type { TuningJobView } from '@attune/contracts';
import { Group, Progress, Text } from '@mantine/core';
import { formatDuration, plural, words } from '../../../lib/format.js';
import { progressFacts, progressPercent, progressStep } from '../progress-facts.js';

/** What it learns from, and where it is. */
export function JobProgress({ job }: { job: TuningJobView }) {
  const { progress } = job;
  const running = job.status === 'running' && progress !== null;
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm" role="status">
          {running ? progressStep(progress) : restingSentence(job)}
        </Text>
        <Text size="sm" c="dimmed">
          {[
            plural(job.num_demonstrations, 'demonstration'),
            plural(job.num_preferences, 'preference'),
            ...(running ? progressFacts(progress) : []),
          ].join(' · ')}
        </Text>
      </Group>
      {running && <Progress mt={6} value={progressPercent(progress)} aria-label="Progress of the stage" />}
    </div>
  );
}

function restingSentence(job: TuningJobView): string {
  if (job.status === 'queued') return 'Waits for the trainer.';
  if (job.status === 'running') return 'Begins…';
  if (job.status === 'paused') return 'Paused; its state is kept until it is resumed or cancelled.';
  const took =
    job.started !== null && job.finished !== null ? ` after ${formatDuration(job.finished - job.started)}` : '';
  return `${words(job.status)}${took}.`;
}
