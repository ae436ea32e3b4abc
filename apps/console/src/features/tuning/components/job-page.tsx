import type { TuningJobView } from '@attune/contracts';
import { Alert, Anchor, Button, Group, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link } from 'react-router';
import { PageHeader } from '../../../components/ui/page-header.js';
import { Page } from '../../../components/ui/page.js';
import { QueryView } from '../../../components/ui/query-view.js';
import { formatTime } from '../../../lib/format.js';
import { jobQuery } from '../api/jobs.js';
import { isActive, triggerWords } from '../job-status.js';
import { DatasetTab } from './dataset-tab.js';
import { EventsTab } from './events-tab.js';
import { JobActions } from './job-actions.js';
import { JobBadge } from './job-badge.js';
import { JobProgress } from './job-progress.js';
import { CurvesTab } from './curves-tab.js';
import { SettingsTab } from './settings-tab.js';

export function JobPage({ jobId }: { jobId: string }) {
  const job = useQuery(jobQuery(jobId));
  return (
    <Page>
      <Anchor
        component={Link}
        to="/console/tuning"
        size="sm"
        mb="sm"
        display="inline-flex"
        style={{ alignItems: 'center', gap: 4 }}
      >
        <IconArrowLeft size={16} /> All jobs
      </Anchor>
      <QueryView query={job}>{(data) => <JobDetails job={data} />}</QueryView>
    </Page>
  );
}

function JobDetails({ job }: { job: TuningJobView }) {
  const active = isActive(job.status);
  return (
    <>
      <PageHeader
        title="Tuning job"
        about={`${job.id} · ${triggerWords[job.trigger]} ${formatTime(job.created)}`}
        actions={
          <Group gap="sm">
            <JobBadge status={job.status} />
            {job.checkpoint_id !== null && (
              <Button component={Link} to={`/console/checkpoints#${job.checkpoint_id}`} variant="light" size="xs">
                See its checkpoint
              </Button>
            )}
            <JobActions job={job} />
          </Group>
        }
      />
      {job.error !== null && (
        <Alert color="red" role="alert" mb="md">
          {job.error}
        </Alert>
      )}
      <JobProgress job={job} />
      <Tabs defaultValue="curves" keepMounted={false} mt="lg">
        <Tabs.List mb="md">
          <Tabs.Tab value="curves">Curves</Tabs.Tab>
          <Tabs.Tab value="events">Events</Tabs.Tab>
          <Tabs.Tab value="dataset">Dataset</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="curves">
          <CurvesTab jobId={job.id} active={active} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          <EventsTab jobId={job.id} active={active} />
        </Tabs.Panel>
        <Tabs.Panel value="dataset">
          <DatasetTab jobId={job.id} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <SettingsTab config={job.config} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
