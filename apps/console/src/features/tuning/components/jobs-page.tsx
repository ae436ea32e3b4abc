import { Badge, Button, Group, Progress, Stack, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { TuningJobView } from '@attune/contracts';
import { useQuery } from '@tanstack/react-query';
import { IconPlayerPlay, IconTrendingUp } from '@tabler/icons-react';
import { Link } from 'react-router';
import { EmptyState } from '../../../components/ui/empty-state.js';
import { PageHeader } from '../../../components/ui/page-header.js';
import { Page } from '../../../components/ui/page.js';
import { QueryView } from '../../../components/ui/query-view.js';
import { formatAgo, formatDuration, plural } from '../../../lib/format.js';
import { jobsQuery } from '../api/jobs.js';
import { triggerWords } from '../job-status.js';
import { progressFacts, progressPercent, progressStep } from '../progress-facts.js';
import { JobBadge } from './job-badge.js';
import { StartDialog } from './start-dialog.js';
import classes from './tuning.module.css';

export function JobsPage() {
  const jobs = useQuery(jobsQuery());
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <Page>
      <PageHeader
        title="Tuning"
        about="Each job turns reviewed feedback into training data, refines the model, and measures the candidate against the one that is live."
        actions={
          <Button leftSection={<IconPlayerPlay size={16} />} onClick={open}>
            Start a job
          </Button>
        }
      />
      <QueryView query={jobs}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<IconTrendingUp size={24} />} title="No job has run yet">
              Jobs start when enough feedback has been approved, on schedule, or with the button above.
            </EmptyState>
          ) : (
            <Stack gap="sm" role="list" aria-label="Tuning jobs">
              {all.map((job) => (
                <div key={job.id} role="listitem">
                  <JobRow job={job} />
                </div>
              ))}
            </Stack>
          )
        }
      </QueryView>
      <StartDialog opened={opened} onClose={close} />
    </Page>
  );
}

function JobRow({ job }: { job: TuningJobView }) {
  const { progress } = job;
  return (
    <UnstyledButton component={Link} to={`/console/tuning/${job.id}`} className={classes.job}>
      <Group justify="space-between">
        <Group gap="sm">
          <JobBadge status={job.status} />
          <Text fw={500}>{job.config.stages.map((stage) => stage.toUpperCase()).join(' → ')}</Text>
          <Text size="sm" c="dimmed">
            {triggerWords[job.trigger]} · {formatAgo(job.created)}
          </Text>
        </Group>
        <Group gap="xs">
          <Badge variant="default" tt="none" fw={500}>
            {plural(job.num_demonstrations, 'demonstration')}
          </Badge>
          <Badge variant="default" tt="none" fw={500}>
            {plural(job.num_preferences, 'preference')}
          </Badge>
        </Group>
      </Group>
      {job.status === 'running' && progress !== null && (
        <>
          <Progress.Root size="sm" mt="sm">
            <Progress.Section value={progressPercent(progress)} aria-label={progressStep(progress)} />
          </Progress.Root>
          <Text size="xs" c="dimmed" mt={4}>
            {[progressStep(progress), ...progressFacts(progress)].join(' · ')}
          </Text>
        </>
      )}
      {job.error !== null && (
        <Text size="sm" c="red" mt={6}>
          {job.error}
        </Text>
      )}
      {job.started !== null && job.finished !== null && (
        <Text size="xs" c="dimmed" mt={4}>
          took {formatDuration(job.finished - job.started)}
        </Text>
      )}
    </UnstyledButton>
  );
}
