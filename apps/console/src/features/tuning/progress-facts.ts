import type { TuningJobView } from '@attune/contracts';
import { formatDuration } from '../../lib/format.js';
import { stageTitle } from './curves.js';

type Progress = NonNullable<TuningJobView['progress']>;

/** "PPO: step 3 of 8". */
export const progressStep = ({ stage, step, num_steps }: Progress): string =>
  `${stageTitle(stage)}: step ${step} of ${num_steps}`;

/** How it goes: loss, speed and what is left, as far as they are known. */
export function progressFacts({ loss, tokens_per_second, eta_seconds }: Progress): string[] {
  return [
    ...(loss == null ? [] : [`loss ${loss.toPrecision(3)}`]),
    ...(tokens_per_second == null ? [] : [`${Math.round(tokens_per_second)} tokens/s`]),
    ...(eta_seconds === null ? [] : [`about ${formatDuration(eta_seconds)} left`]),
  ];
}

/** From 0 to 100. */
export const progressPercent = ({ step, num_steps }: Progress): number =>
  num_steps === 0 ? 0 : (100 * step) / num_steps;
