import type { TuningJobConfig } from '@attune/contracts';
import type { TrainingSwitches } from '@attune/training';

/** What a job says about memory, as the training step takes it. */
export function switchesOf(config: Pick<TuningJobConfig, 'activation_checkpointing'>): { switches: TrainingSwitches } {
  return { switches: { activationCheckpointing: config.activation_checkpointing } };
}
