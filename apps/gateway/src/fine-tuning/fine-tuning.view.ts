import type { FineTuningCheckpointObject, FineTuningEventObject, FineTuningJobObject } from '@attune/contracts';
import type { Checkpoint, FineTuningEvent, FineTuningRecord, TuningJob } from '@attune/persistence';
import { checkpointModelName } from '../inference/model-name.js';
import { seconds, secondsOrNull } from '../core/seconds.js';
import { hyperparametersOf } from './method-config.js';

export function fineTuningJobView(record: FineTuningRecord, served: string): FineTuningJobObject {
  const { asked, work, checkpoint } = record;
  const { n_epochs, batch_size, learning_rate_multiplier } = hyperparametersOf(asked.method);
  const error = errorOf(record);
  return {
    id: asked.id,
    object: 'fine_tuning.job',
    created_at: seconds(asked.createdAt),
    finished_at: secondsOrNull(work.finishedAt),
    estimated_finish: estimatedFinish(work),
    model: asked.model,
    fine_tuned_model: checkpoint && !error ? checkpointModelName(served, checkpoint.id) : null,
    organization_id: asked.userId,
    status: error ? 'failed' : work.status,
    training_file: asked.trainingFile,
    validation_file: asked.validationFile,
    hyperparameters: { n_epochs, batch_size, learning_rate_multiplier },
    method: asked.method,
    result_files: asked.resultFile ? [asked.resultFile] : [],
    trained_tokens: checkpoint?.metrics.trained_tokens ?? null,
    error,
    seed: work.config.seed,
    user_provided_suffix: asked.suffix,
    integrations: [],
    metadata: asked.metadata,
  };
}

/** Also a job whose weights the gate turned down has failed: nobody may be answered by them. */
function errorOf({ work, checkpoint }: FineTuningRecord): FineTuningJobObject['error'] {
  if (work.status === 'failed') return { code: 'training_failed', message: work.error ?? 'unknown', param: null };
  if (work.status !== 'succeeded' || checkpoint?.status !== 'rejected') return null;
  const reasons = checkpoint.gateReport?.checks.filter((check) => !check.passed).map((check) => check.reason) ?? [];
  return { code: 'gate_rejected', message: `The gate turned the weights down: ${reasons.join('; ')}`, param: null };
}

function estimatedFinish({ status, progress }: TuningJob): number | null {
  if (status !== 'running' || !progress || progress.etaSeconds === null) return null;
  return Math.round(Date.now() / 1000 + progress.etaSeconds);
}

export const fineTuningEventView = (event: FineTuningEvent): FineTuningEventObject => ({
  id: event.key,
  object: 'fine_tuning.job.event',
  created_at: seconds(event.at),
  level: event.level,
  message: event.message,
  type: event.type,
  data: event.data,
});

export function fineTuningCheckpointView(
  { asked }: FineTuningRecord,
  checkpoint: Checkpoint,
  served: string,
  lastStep: { step: number; loss?: number },
): FineTuningCheckpointObject {
  const { heldout_loss: heldoutLoss } = checkpoint.metrics;
  return {
    id: checkpoint.id,
    object: 'fine_tuning.job.checkpoint',
    created_at: seconds(checkpoint.createdAt),
    fine_tuned_model_checkpoint: checkpointModelName(served, checkpoint.id),
    fine_tuning_job_id: asked.id,
    step_number: lastStep.step,
    metrics: {
      step: lastStep.step,
      ...(lastStep.loss !== undefined && { train_loss: lastStep.loss }),
      ...(heldoutLoss !== undefined && { valid_loss: heldoutLoss, full_valid_loss: heldoutLoss }),
    },
  };
}
