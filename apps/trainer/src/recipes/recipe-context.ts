import type { TuningJobConfig } from '@attune/contracts';
import type { ParameterSet } from '@attune/training';
import type { Journal } from '../jobs/journal.js';
import type { RunState } from '../jobs/run-state.js';
import type { StageHost } from '../jobs/stage-loop.js';
import type { BaseModel } from '../model/base-model.js';

/** What every recipe is given. */
export interface RecipeContext extends StageHost {
  readonly model: BaseModel;
  readonly config: TuningJobConfig;
  readonly state: RunState;
  readonly journal: Journal;
}

/** An adapter in training: PEFT-named matrices (updated in place) and their scale. */
export interface Policy {
  readonly parameters: ParameterSet;
  readonly rank: number;
  readonly alpha: number;
}

/** What the update is multiplied by (Hu et al. 2021, section 4.1). */
export const scaleOfAdapter = ({ alpha, rank }: Pick<Policy, 'alpha' | 'rank'>): number => alpha / rank;
