/** Past facts inside the gateway. */
export interface DomainEvents {
  'completion.closed': { completionId: string };
  'feedback.recorded': { feedbackId: string; completionId: string };
  'feedback.reviewed': { feedbackId: string; approved: boolean };
  'checkpoint.promoted': { checkpointId: string };
}

/** PostgreSQL NOTIFY channels between gateway and trainer; the payload is an id. Listeners re-read on start. */
export const channels = {
  jobQueued: 'attune_job_queued',
  jobCancelled: 'attune_job_cancelled',
  checkpointPromoted: 'attune_checkpoint_promoted',
  webhookDue: 'attune_webhook_due',
} as const;
