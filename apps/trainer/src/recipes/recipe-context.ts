import type { TuningJobConfig } from '@attune/contracts';
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
