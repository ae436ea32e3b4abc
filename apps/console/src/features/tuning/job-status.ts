import type { TuningJobStatus, TuningTrigger } from '@attune/contracts';

/** Whether there may be news of the job. */
export function isActive(status: TuningJobStatus): boolean {
  return status === 'queued' || status === 'running';
}

export const statusColors: Record<TuningJobStatus, string> = {
  queued: 'gray',
  running: 'blue',
  paused: 'yellow',
  succeeded: 'teal',
  failed: 'red',
  cancelled: 'gray',
};

export const triggerWords: Record<TuningTrigger, string> = {
  api: 'asked for through the API',
  button: 'started by hand',
  threshold: 'started by new feedback',
  schedule: 'started on schedule',
};
