import type { TuningJobView } from '@attune/contracts';
import { Button, type ButtonProps } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ConfirmButton } from '../../../components/ui/confirm-button.js';
import { notifyError } from '../../../components/ui/notify.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { cancelJob, pauseJob, resumeJob } from '../api/jobs.js';
import { isActive } from '../job-status.js';

const look = { size: 'xs', variant: 'light' } satisfies ButtonProps;

/** What can be done about a job that has not ended. */
export function JobActions({ job }: { job: TuningJobView }) {
  const paused = job.status === 'paused';
  if (!paused && !isActive(job.status)) return null;
  return (
    <>
      {paused ? <ResumeButton jobId={job.id} /> : <PauseButton jobId={job.id} />}
      <CancelButton jobId={job.id} />
    </>
  );
}

/** A running job stops at its next moment to do so: until then the button waits. */
function PauseButton({ jobId }: { jobId: string }) {
  const pause = useJobMutation(pauseJob);
  return (
    <Button {...look} onClick={() => pause.mutate(jobId)} loading={pause.isPending || pause.isSuccess}>
      Pause the job
    </Button>
  );
}

function ResumeButton({ jobId }: { jobId: string }) {
  const resume = useJobMutation(resumeJob);
  return (
    <Button {...look} onClick={() => resume.mutate(jobId)} loading={resume.isPending}>
      Resume the job
    </Button>
  );
}

function CancelButton({ jobId }: { jobId: string }) {
  const cancel = useJobMutation(cancelJob);
  return (
    <ConfirmButton
      {...look}
      label="Cancel the job"
      question="It stops within seconds; nothing of it goes live, and its state is not kept."
      onConfirm={() => cancel.mutate(jobId)}
      loading={cancel.isPending}
      color="red"
    />
  );
}

/** Asks the gateway to do something about a job, and all pages to look again. */
function useJobMutation(mutationFn: (jobId: string) => Promise<TuningJobView>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn,
    onError: notifyError,
    onSettled: () => queryClient.invalidateQueries({ queryKey: queryKeys.jobs }),
  });
}
